import { realServer } from "@headwater/testing";
import { ownDatabases } from "../testing/own-database.ts";
import { turnsSuite } from "./turns-suite.ts";

const url = realServer("POSTGRES_URL");
if (url !== undefined) turnsSuite("PostgreSQL", ownDatabases(url));
