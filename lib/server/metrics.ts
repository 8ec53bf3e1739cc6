import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { devices } from '../tensor/device.js';
import type { ModelRepository } from './model_repository.js';

/** What Prometheus reads at `/metrics`, and the status page with it. */
export class Metrics {
  readonly registry = new Registry();
  /** Seconds from a request's head to the end of its answer. */
  readonly requestSeconds = new Histogram({
    name: 'cudnn_gru_request_seconds',
    help: 'Seconds from the head of a request to the end of its answer',
    labelNames: ['route', 'status'],
    buckets: [
      0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30,
    ],
    registers: [this.registry],
  });
  readonly batchRows = new Histogram({
    name: 'cudnn_gru_batch_rows',
    help: 'Rows that were computed together',
    labelNames: ['model'],
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Adds what is asked for only when somebody reads. */
  watch(repository: ModelRepository, streams: () => number): void {
    const { registry } = this;
    const registers = [registry];
    new Gauge({
      name: 'cudnn_gru_queued_requests',
      help: 'Requests that wait to be computed',
      labelNames: ['model'],
      registers,
      collect() {
        for (const { name, queued } of repository.models) this.set({ model: name }, queued);
      },
    });
    new Gauge({
      name: 'cudnn_gru_model_version',
      help: 'How often the model has been loaded',
      labelNames: ['model'],
      registers,
      collect() {
        for (const { name, version } of repository.models) this.set({ model: name }, version);
      },
    });
    new Gauge({
      name: 'cudnn_gru_streams',
      help: 'Live streams',
      registers,
      collect() {
        this.set(streams());
      },
    });
    new Gauge({
      name: 'cudnn_gru_device_memory_bytes',
      help: 'Memory of tensors, and with freed blocks that are kept for reuse',
      labelNames: ['device', 'kind'],
      registers,
      collect() {
        for (const { name, memory } of devices()) {
          if (memory === null) continue;
          this.set({ device: name, kind: 'in_use' }, memory.bytesInUse);
          this.set({ device: name, kind: 'reserved' }, memory.bytesReserved);
        }
      },
    });
  }
}
