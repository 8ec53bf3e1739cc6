import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { quote } from '../arguments.js';
import type { TensorSpec } from '../inference/signature.js';
import { packageVersion } from '../version.js';
import { HttpError } from './http_errors.js';
import { datatypes, InferenceRequest, readInputs, splitBody } from './inference_request.js';
import { inferenceResponse, wantedOutputs } from './inference_response.js';
import type { ModelRepository } from './model_repository.js';
import { signalOf } from './request_signal.js';
import type { ServedModel } from './served_model.js';
import type { ServerSettings } from './server_options.js';

const ModelPath = Type.Object({ name: Type.String(), version: Type.Optional(Type.String()) });
type ModelPath = Type.Static<typeof ModelPath>;
const described = (summary: string) => ({ summary, tags: ['Open Inference Protocol'] });

/**
 * The Open Inference Protocol, version 2: health, metadata, inference with Triton's binary tensors, and of Triton's extensions what its
 * clients ask first: a model's configuration, the list of models, and loading one again.
 */
export function openInferenceRoutes(
  app: FastifyInstance,
  repository: ModelRepository,
  settings: ServerSettings,
  { isReady, load }: { isReady(): boolean; load(model: string): Promise<void> },
): void {
  // Clients name no content type. What is wrong with a body is found outside the parser, after whose errors fastify closes the connection.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, async (_: FastifyRequest, body: Buffer) => body);
  // The numbers behind the JSON document, for the handler.
  const binaryParts = new WeakMap<FastifyRequest, Buffer>();
  app.addHook('preValidation', async (request) => {
    const body = request.body as Buffer | undefined;
    if (!body?.length) {
      request.body = undefined;
      return;
    }
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      throw new HttpError(
        415,
        'ERR_ENCODING',
        `Content-Encoding: bodies are taken as they are, not as ${quote(encoding)}`,
      );
    }
    const { document, binary } = splitBody(body, request.headers['inference-header-content-length']?.toString());
    binaryParts.set(request, binary);
    request.body = document;
  });

  const version = packageVersion();
  app.get('/v2', { schema: described('What this server is') }, () => ({
    name: 'cudnn-gru',
    version,
    extensions: ['binary_tensor_data', 'model_configuration', 'model_repository'],
  }));
  app.get('/v2/health/live', { schema: described('Whether the process runs') }, (_, reply) => reply.send());
  app.get('/v2/health/ready', { schema: described('Whether requests are taken') }, (_, reply) =>
    reply.code(isReady() ? 200 : 503).send(),
  );
  app.post('/v2/repository/index', { schema: described('The models') }, () =>
    repository.models.map(({ name, version }) => ({ name, version: String(version), state: 'READY', reason: '' })),
  );
  const loadOptions = { schema: { ...described("Reads a model's file again"), params: ModelPath } };
  app.post('/v2/repository/models/:name/load', loadOptions, async (request, reply) => {
    const { parameters } = (request.body ?? {}) as { parameters?: object };
    if (parameters && Object.keys(parameters).length > 0) {
      throw new HttpError(400, 'ERR_UNSUPPORTED', 'parameters: a model is read from its own file as it is');
    }
    await load((request.params as ModelPath).name);
    return reply.send();
  });

  const modelOf = (request: FastifyRequest) => {
    const { name, version } = request.params as ModelPath;
    return repository.get(name, version);
  };
  for (const url of ['/v2/models/:name', '/v2/models/:name/versions/:version']) {
    const schema = (summary: string) => ({ ...described(summary), params: ModelPath });
    app.get(url, { schema: schema('What a model reads and gives') }, (request) => metadata(modelOf(request)));
    app.get(`${url}/config`, { schema: schema("A model's configuration, as Triton's clients read it") }, (request) =>
      configuration(modelOf(request), settings.maxBatch),
    );
    app.get(`${url}/ready`, { schema: schema('Whether a model can be used') }, (request, reply) => {
      modelOf(request);
      return reply.send();
    });
    app.post(
      `${url}/infer`,
      { schema: { ...schema('Inference'), body: InferenceRequest } },
      async (request, reply): Promise<FastifyReply> => {
        const model = modelOf(request);
        const body = request.body as InferenceRequest;
        const binary = binaryParts.get(request) as Buffer;
        const wanted = wantedOutputs(body, model);
        const inputs = readInputs(body, binary, model.signature, settings.maxSteps);
        const outputs = await model.infer(inputs, signalOf(reply, settings.timeout));
        const response = inferenceResponse(body, model, wanted, outputs);
        if (response.headerLength === null) return reply.type('application/json').send(response.body);
        void reply.header('Inference-Header-Content-Length', response.headerLength);
        return reply.type('application/octet-stream').send(response.body);
      },
    );
  }
}

// Axes that a call chooses are -1, here and below.
const sizes = ({ shape }: TensorSpec) => shape.map((axis) => (typeof axis === 'number' ? axis : -1));

function metadata({ name, version, signature: { inputs, outputs } }: ServedModel) {
  const tensor = (spec: TensorSpec) => ({ name: spec.name, datatype: datatypes[spec.dtype], shape: sizes(spec) });
  return {
    name,
    versions: [String(version)],
    platform: 'cudnn-gru',
    inputs: inputs.map(tensor),
    outputs: outputs.map(tensor),
  };
}

// Triton's dims leave the batch out.
function configuration({ name, signature: { inputs, outputs } }: ServedModel, maxBatch: number) {
  const tensor = (spec: TensorSpec) => ({
    name: spec.name,
    data_type: `TYPE_${datatypes[spec.dtype]}`,
    dims: sizes(spec).slice(1),
  });
  return {
    name,
    platform: 'cudnn-gru',
    backend: 'cudnn-gru',
    max_batch_size: maxBatch,
    input: inputs.map(tensor),
    output: outputs.map(tensor),
    dynamic_batching: {},
  };
}
