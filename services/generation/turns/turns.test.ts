import { turnsSuite } from "./turns-suite.ts";

turnsSuite("PGlite", async () => ({}));
