import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startTracing } from "@headwater/telemetry";
import { startFixture } from "./testing/fixture.ts";

// Spans go nowhere: what is looked at is which trace the service is told to join.
const stopTracing = startTracing("gateway-test", "http://127.0.0.1:1");
const fixture = await startFixture();
after(() => {
  // Its exporter has nobody to send to and waits for the end of its own timeout; the test file does not.
  void stopTracing().catch(() => {});
});

const traceId = "0af7651916cd43dd8448eb211c80319c";

for (const [name, path, body] of [
  ["HTTP", "/v1/search", { query: "tides" }],
  ["Connect", "/headwater.v1.IngestService/GetPipeline", {}],
  ["a push", "/v1/documents", { id: "traced", text: "x" }],
] as const) {
  test(`the caller's trace goes on to the service: ${name}`, async () => {
    const spanId = "b7ad6b7169203331";
    const response = await fixture.post(path, body, {
      traceparent: `00-${traceId}-${spanId}-01`,
      "x-request-id": `asked-by-${name.replace(" ", "-")}`,
    });
    assert(response.ok);
    assert.equal(response.headers.get("x-request-id"), `asked-by-${name.replace(" ", "-")}`);
    const { metadata } = fixture.doubles.seen;
    const sent = metadata.get("traceparent") ?? "";
    assert.match(sent, new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
    assert(!sent.includes(spanId), "the service was given the caller's span instead of the gateway's");
    assert.equal(metadata.get("x-request-id"), `asked-by-${name.replace(" ", "-")}`);
  });
}
