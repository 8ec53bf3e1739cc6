import type { Module } from '../layers/module.js';

/** A framework that models are written for. */
export interface ExportFormat {
  /** What usually ends the name of such a file. */
  readonly extension: string;
  write(path: string, model: Module): Promise<void>;
}

/** By the name that the command line has for them. */
export const exportFormats: Readonly<Record<string, ExportFormat>> = {
  onnx: {
    extension: '.onnx',
    write: async (path, model) => (await import('./onnx/index.js')).exportOnnx(path, model),
  },
  pytorch: {
    extension: '.pytorch.safetensors',
    write: async (path, model) => (await import('./pytorch/export_pytorch.js')).exportPytorch(path, model),
  },
  keras: {
    extension: '.weights.h5',
    write: async (path, model) => (await import('./keras/export_keras.js')).exportKeras(path, model),
  },
};
