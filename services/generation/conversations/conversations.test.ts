import { conversationsSuite } from "./conversations-suite.ts";

conversationsSuite("PGlite", async () => ({}));
