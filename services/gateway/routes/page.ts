import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fastifyStatic from "@fastify/static";
import type { App } from "../gateway.ts";

/** Where the build of apps/page puts the page. */
const pageFolder = fileURLToPath(new URL("../../../apps/page/dist/", import.meta.url));

/** Only what the page itself brings along may run, and only this origin may be talked to. */
const contentSecurityPolicy = [
  "default-src 'self'",
  "base-uri 'none'",
  "connect-src 'self'",
  "font-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "img-src 'self' data: blob:",
  "object-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
].join("; ");

const notBuilt =
  "The page is not built. Run `npm run build -w @headwater/page`, then reload. " +
  "The HTTP routes work without it: see /openapi.json\n";

/** The page and its files, to everyone who may reach the gateway: they hold nothing of any tenant. */
export async function pageRoutes(app: App, folder: string = pageFolder): Promise<void> {
  // Ranges of files this small serve nobody; without them a broken Range header is none of our concern.
  await app.register(fastifyStatic, { root: folder, serve: false, acceptRanges: false });
  app.get("/*", { schema: {} }, (request, reply) => {
    const path = decodePath(request.url);
    if (path === undefined || path.split(/[/\\]/).includes("..")) return reply.callNotFound();
    if (path === "/" && !existsSync(`${folder}index.html`)) {
      return reply.code(503).header("content-type", "text/plain; charset=utf-8").send(notBuilt);
    }
    const file = path === "/" ? "index.html" : path.slice(1);
    // Files with a hash in their name never change; the page itself is asked for anew each time.
    const immutable = /[.-][A-Za-z0-9_]{8,}\.(js|css|woff2|svg|map)$/.test(file);
    return reply.header("content-security-policy", contentSecurityPolicy).sendFile(file, {
      cacheControl: true,
      maxAge: immutable ? "365d" : 0,
      immutable,
      dotfiles: "deny",
    });
  });
}

function decodePath(url: string): string | undefined {
  try {
    return decodeURIComponent(url.split("?")[0] ?? "/");
  } catch {
    // Not a path that a file can have: the caller answers "not found".
    return undefined;
  }
}
