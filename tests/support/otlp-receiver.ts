import type { ServerUnaryCall, sendUnaryData } from "@grpc/grpc-js";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { fromJSON } from "@grpc/proto-loader";
import protobuf from "protobufjs";

/** OpenTelemetry's published trace contract, cut to what is asserted (opentelemetry-proto, collector/trace/v1). */
const contract = fromJSON(
  protobuf
    .parse(`
    syntax = "proto3";
    package opentelemetry.proto.collector.trace.v1;
    service TraceService { rpc Export(ExportRequest) returns (ExportResponse); }
    message ExportRequest { repeated ResourceSpans resource_spans = 1; }
    message ExportResponse {}
    message ResourceSpans { repeated ScopeSpans scope_spans = 2; }
    message ScopeSpans { repeated Span spans = 2; }
    message Span {
      bytes trace_id = 1;
      bytes span_id = 2;
      bytes parent_span_id = 4;
      string name = 5;
      int32 kind = 6;
      fixed64 start_time_unix_nano = 7;
      fixed64 end_time_unix_nano = 8;
      repeated KeyValue attributes = 9;
    }
    message KeyValue { string key = 1; AnyValue value = 2; }
    message AnyValue {
      oneof value {
        string string_value = 1;
        bool bool_value = 2;
        int64 int_value = 3;
        double double_value = 4;
        ArrayValue array_value = 5;
      }
    }
    message ArrayValue { repeated AnyValue values = 1; }
  `)
    .root.toJSON(),
  { keepCase: false, longs: Number, defaults: true, oneofs: true },
);

export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the root of a trace. */
  readonly parentSpanId: string;
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** One of OTLP's values; `value` names the field that is set. */
interface AnyValue {
  readonly value: string;
  readonly arrayValue?: { readonly values: readonly AnyValue[] };
  readonly [field: string]: unknown;
}

interface WireSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: Buffer;
  readonly spanId: Buffer;
  readonly parentSpanId: Buffer;
  readonly attributes: readonly { readonly key: string; readonly value: AnyValue }[];
}

interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly {
      readonly spans: readonly WireSpan[];
    }[];
  }[];
}

/** A collector that keeps what it receives over OTLP gRPC. */
export interface OtlpReceiver {
  /** http://host:port */
  readonly endpoint: string;
  readonly spans: readonly ReceivedSpan[];
  close(): void;
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const service = contract["opentelemetry.proto.collector.trace.v1.TraceService"];
  if (!service || "format" in service) throw new Error("the OTLP contract did not load");
  const server = new Server();
  server.addService(service, {
    Export(call: ServerUnaryCall<ExportRequest, object>, done: sendUnaryData<object>) {
      for (const { scopeSpans } of call.request.resourceSpans) {
        for (const span of scopeSpans.flatMap((scope) => scope.spans)) {
          spans.push({
            name: span.name,
            traceId: span.traceId.toString("hex"),
            spanId: span.spanId.toString("hex"),
            parentSpanId: span.parentSpanId.toString("hex"),
            kind: span.kind,
            attributes: Object.fromEntries(span.attributes.map(({ key, value }) => [key, plain(value)])),
          });
        }
      }
      done(null, {});
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { endpoint: `http://127.0.0.1:${port}`, spans, close: () => server.forceShutdown() };
}

function plain(value: AnyValue): unknown {
  return value.arrayValue === undefined || value.arrayValue === null
    ? value[value.value]
    : value.arrayValue.values.map(plain);
}
