import { Client, credentials } from "@grpc/grpc-js";
import type { PackageDefinition, ServiceDefinition } from "@grpc/proto-loader";
import { fromJSON, loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";
import protobuf from "protobufjs";

/**
 * gRPC's published reflection contract, cut to what is used here
 * (https://github.com/grpc/grpc/blob/master/doc/server-reflection.md).
 */
const reflection = fromJSON(
  protobuf
    .parse(
      `
    syntax = "proto3";
    package grpc.reflection.v1;
    service ServerReflection {
      rpc ServerReflectionInfo(stream ServerReflectionRequest) returns (stream ServerReflectionResponse);
    }
    message ServerReflectionRequest {
      string host = 1;
      oneof message_request {
        string file_by_filename = 3;
        string file_containing_symbol = 4;
        string list_services = 7;
      }
    }
    message ServerReflectionResponse {
      oneof message_response {
        FileDescriptorResponse file_descriptor_response = 4;
        ListServiceResponse list_services_response = 6;
        ErrorResponse error_response = 7;
      }
    }
    message FileDescriptorResponse { repeated bytes file_descriptor_proto = 1; }
    message ListServiceResponse { repeated ServiceResponse service = 1; }
    message ServiceResponse { string name = 1; }
    message ErrorResponse { int32 error_code = 1; string error_message = 2; }
  `,
      { keepCase: true },
    )
    .root.toJSON(),
  { defaults: true, oneofs: true },
);

interface ReflectionResponse {
  readonly file_descriptor_response: { readonly file_descriptor_proto: readonly Uint8Array[] } | null;
  readonly list_services_response: { readonly service: readonly { readonly name: string }[] } | null;
  readonly error_response: { readonly error_message: string } | null;
}

type Methods = ServiceDefinition;
type Method = Methods[string];

/** A gRPC client that knows of a server only what the server's reflection tells: no generated code of ours. */
export class ReflectionClient {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure());
  }

  async listServices(): Promise<string[]> {
    const response = await this.#ask({ list_services: "" });
    return (response.list_services_response?.service ?? []).map(({ name }) => name).sort();
  }

  /** Methods of a service, by name. */
  async describe(service: string): Promise<Methods> {
    const files = await this.#withImports(await this.#files({ file_containing_symbol: service }));
    const loaded = loadFileDescriptorSetFromBuffer(descriptorSet(files), { longs: Number, defaults: true });
    return methodsOf(loaded, service);
  }

  /** Calls a method with plain values and gives all messages of its answer. */
  async call(service: string, method: string, requests: readonly object[]): Promise<unknown[]> {
    const definition = (await this.describe(service))[method];
    if (!definition) throw new Error(`${service} has no method ${method}`);
    return this.#run(definition, requests);
  }

  close(): void {
    this.#client.close();
  }

  async #files(request: object): Promise<readonly Uint8Array[]> {
    const response = await this.#ask(request);
    if (!response.file_descriptor_response) throw new Error(response.error_response?.error_message);
    return response.file_descriptor_response.file_descriptor_proto;
  }

  /** A server may leave out the files that a file imports; they are asked for by name. */
  async #withImports(files: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
    const known = new Map<string, Uint8Array>();
    const open = [...files];
    for (let bytes = open.pop(); bytes; bytes = open.pop()) {
      const { name, dependency } = fileHeader(bytes);
      if (known.has(name)) continue;
      known.set(name, bytes);
      for (const file of dependency) {
        if (!known.has(file)) open.push(...(await this.#files({ file_by_filename: file })));
      }
    }
    return [...known.values()];
  }

  async #ask(request: object): Promise<ReflectionResponse> {
    const method = methodsOf(reflection, "grpc.reflection.v1.ServerReflection")["ServerReflectionInfo"];
    if (!method) throw new Error("the reflection contract has no method");
    const [response] = await this.#run(method, [request]);
    return response as ReflectionResponse;
  }

  #run(method: Method, requests: readonly object[]): Promise<unknown[]> {
    const call = this.#client.makeBidiStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
    );
    const messages: unknown[] = [];
    return new Promise((resolve, reject) => {
      call.on("data", (message: unknown) => messages.push(message));
      call.on("error", reject);
      call.on("end", () => resolve(messages));
      for (const request of requests) call.write(request);
      call.end();
    });
  }
}

function methodsOf(definitions: PackageDefinition, service: string): Methods {
  const found = definitions[service];
  if (!found || "format" in found) throw new Error(`${service} is not among the definitions`);
  return found;
}

const fileHeaderType = protobuf
  .parse('syntax = "proto3"; message File { string name = 1; repeated string dependency = 3; }')
  .root.lookupType("File");

/** Name and imports of a serialised google.protobuf.FileDescriptorProto. */
function fileHeader(bytes: Uint8Array): { name: string; dependency: readonly string[] } {
  const header = fileHeaderType.toObject(fileHeaderType.decode(bytes), { defaults: true, arrays: true });
  return { name: String(header["name"]), dependency: header["dependency"] as string[] };
}

/** Serialised files as one google.protobuf.FileDescriptorSet: each is an element of its only field, number 1. */
function descriptorSet(files: readonly Uint8Array[]): Buffer {
  const writer = new protobuf.Writer();
  for (const file of files) writer.uint32((1 << 3) | 2).bytes(file);
  return Buffer.from(writer.finish());
}
