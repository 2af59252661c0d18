// Attention as an ONNX model of one node, for onnxruntime-web.
import { create, toBinary } from '@bufbuild/protobuf';
import { AttributeProto_AttributeType, ModelProtoSchema, TensorProto_DataType } from 'onnx-buf';

/** ai.onnx Attention over query, key and value [1, heads, length, size]. */
export const standardAttention = ({ heads, length, size, causal }) =>
  model({
    opType: 'Attention',
    attributes: { is_causal: causal ? 1 : 0 },
    shape: [1, heads, length, size],
  });

/** onnxruntime's own com.microsoft MultiHeadAttention over [1, length, heads · size]. */
export const multiHeadAttention = ({ heads, length, size, causal }) =>
  model({
    opType: 'MultiHeadAttention',
    domain: 'com.microsoft',
    attributes: { num_heads: heads, unidirectional: causal ? 1 : 0 },
    shape: [1, length, heads * size],
  });

function model({ opType, domain = '', attributes, shape }) {
  const inputs = ['query', 'key', 'value'];
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 10n,
      opsetImport: [
        { domain: '', version: 23n },
        { domain: 'com.microsoft', version: 1n },
      ],
      graph: {
        name: opType,
        node: [
          { opType, domain, input: inputs, output: ['output'], attribute: Object.entries(attributes).map(integer) },
        ],
        input: inputs.map((name) => float32(name, shape)),
        output: [float32('output', shape)],
      },
    }),
  );
}

const integer = ([name, value]) => ({ name, type: AttributeProto_AttributeType.INT, i: BigInt(value) });

const float32 = (name, shape) => ({
  name,
  type: {
    value: {
      case: 'tensorType',
      value: {
        elemType: TensorProto_DataType.FLOAT,
        shape: { dim: shape.map((size) => ({ value: { case: 'dimValue', value: BigInt(size) } })) },
      },
    },
  },
});
