import { after } from "node:test";
import { realServer } from "@headwater/testing";
import { passageIndexConformance } from "./conformance.ts";
import { PairedServers } from "./testing/paired-servers.ts";

const elastic = realServer("ELASTICSEARCH_URL");
if (elastic !== undefined) {
  const servers = await PairedServers.start(elastic);
  after(() => servers.stop());
  // The suite asks at once what another process has made to serve.
  passageIndexConformance(`paired: ${servers.name}`, async (place) =>
    servers.open(place, { activeForMs: 0 }),
  );
}
