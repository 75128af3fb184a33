import { realServer } from "@headwater/testing";
import { ownDatabases } from "../testing/own-database.ts";
import { conversationsSuite } from "./conversations-suite.ts";

const url = realServer("POSTGRES_URL");
if (url !== undefined) conversationsSuite("PostgreSQL", ownDatabases(url));
