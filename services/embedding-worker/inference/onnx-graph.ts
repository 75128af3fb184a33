import { BinaryWriter } from "@bufbuild/protobuf/wire";

// The few fields of ONNX's protobuf that small graphs need. Field numbers: onnx.proto of ONNX 1.17.

/** TensorProto.DataType. */
export const elementType = { float: 1, int8: 3, int64: 7 } as const;

export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  /** Whole numbers and lists of them. */
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly values: Float32Array | BigInt64Array;
}

export interface OnnxValue {
  readonly name: string;
  readonly type: (typeof elementType)[keyof typeof elementType];
  /** A word is a dimension of any size. */
  readonly shape: readonly (number | string)[];
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

/** The bytes of a model.onnx. */
export function writeOnnx({ nodes, constants, inputs, outputs }: OnnxGraph): Uint8Array {
  return message((model) => {
    model.tag(1, 0).int64(8); // ir_version
    model.tag(7, 2).bytes(
      message((graph) => {
        for (const node of nodes) graph.tag(1, 2).bytes(writeNode(node));
        graph.tag(2, 2).string("graph");
        for (const tensor of constants) graph.tag(5, 2).bytes(writeTensor(tensor));
        for (const value of inputs) graph.tag(11, 2).bytes(writeValue(value));
        for (const value of outputs) graph.tag(12, 2).bytes(writeValue(value));
      }),
    );
    model.tag(8, 2).bytes(
      message((opset) => {
        opset.tag(1, 2).string("");
        opset.tag(2, 0).int64(13);
      }),
    );
  });
}

function writeNode({ op, inputs, output, attributes = {} }: OnnxNode): Uint8Array {
  return message((node) => {
    for (const input of inputs) node.tag(1, 2).string(input);
    node.tag(2, 2).string(output);
    node.tag(4, 2).string(op);
    for (const [name, value] of Object.entries(attributes)) {
      node.tag(5, 2).bytes(
        message((attribute) => {
          attribute.tag(1, 2).string(name);
          if (typeof value === "number") attribute.tag(3, 0).int64(value).tag(20, 0).int32(2);
          else {
            for (const item of value) attribute.tag(8, 0).int64(item);
            attribute.tag(20, 0).int32(7);
          }
        }),
      );
    }
  });
}

function writeTensor({ name, dims, values }: OnnxTensor): Uint8Array {
  return message((tensor) => {
    for (const dim of dims) tensor.tag(1, 0).int64(dim);
    tensor.tag(2, 0).int32(values instanceof Float32Array ? elementType.float : elementType.int64);
    tensor.tag(8, 2).string(name);
    tensor.tag(9, 2).bytes(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  });
}

function writeValue({ name, type, shape }: OnnxValue): Uint8Array {
  const dims = message((list) => {
    for (const size of shape) {
      list
        .tag(1, 2)
        .bytes(
          message((dim) =>
            typeof size === "number" ? dim.tag(1, 0).int64(size) : dim.tag(2, 2).string(size),
          ),
        );
    }
  });
  const tensorType = message((tensor) => tensor.tag(1, 0).int32(type).tag(2, 2).bytes(dims));
  return message((value) =>
    value
      .tag(1, 2)
      .string(name)
      .tag(2, 2)
      .bytes(message((of) => of.tag(1, 2).bytes(tensorType))),
  );
}

function message(write: (writer: BinaryWriter) => void): Uint8Array {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
}
