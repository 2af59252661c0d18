// Graphs as plain objects (nodes, initialisers, inputs, an output) become ONNX files here.
import { create, toBinary } from '@bufbuild/protobuf';
import { AttributeProto_AttributeType, ModelProtoSchema, TensorProto_DataType } from 'onnx-buf';

/** The bytes of an ONNX file. A dimension of a shape is a number or, where it varies, a name. */
export function encodeGraph({ nodes, initializers = [], inputs, outputs }) {
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 10n,
      opsetImport: [
        { domain: '', version: 23n },
        { domain: 'com.microsoft', version: 1n },
      ],
      graph: {
        name: 'bench',
        node: nodes.map(({ opType, domain, attributes, ...names }) => ({
          opType,
          domain,
          input: names.inputs,
          output: names.outputs,
          attribute: Object.entries(attributes).map(attribute),
        })),
        initializer: initializers.map(({ name, data, shape }) => ({
          name,
          dims: shape.map(BigInt),
          dataType: TensorProto_DataType.FLOAT,
          rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
        })),
        input: inputs.map(valueInfo),
        output: outputs.map(valueInfo),
      },
    }),
  );
}

const attribute = ([name, value]) =>
  Number.isInteger(value)
    ? { name, type: AttributeProto_AttributeType.INT, i: BigInt(value) }
    : { name, type: AttributeProto_AttributeType.FLOAT, f: value };

const valueInfo = ({ name, type = 'FLOAT', shape }) => ({
  name,
  type: {
    value: {
      case: 'tensorType',
      value: { elemType: TensorProto_DataType[type], shape: { dim: shape.map(dimension) } },
    },
  },
});

const dimension = (size) => ({
  value: typeof size === 'number' ? { case: 'dimValue', value: BigInt(size) } : { case: 'dimParam', value: size },
});
