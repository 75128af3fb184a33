import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { rootCertificates } from "node:tls";
import { needsOfNative } from "./shared-libraries.ts";

/** Where an image has Node. */
export const nodePath = "/usr/local/bin/node";

/** Who runs in an image, as in distroless images: no user of a host has this number. */
export const user = { id: 65532, name: "nonroot" };

/** A package of the system that libraries in the image come from. */
export interface SystemPackage {
  readonly name: string;
  readonly version: string;
}

/**
 * Lays out what Node needs under `folder`: the program that runs this, the libraries of the system that it and the
 * native modules load, the certificates of public authorities (Node's own list), and who is who.
 *
 * @param natives native modules that images hold
 * @returns the packages of the system that the libraries belong to
 */
export function layOutBase(folder: string, natives: readonly string[]): readonly SystemPackage[] {
  const write = (path: string, content: string | Uint8Array, mode = 0o644) => {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
    chmodSync(target, mode);
  };
  const copy = (from: string, path: string) => write(path, readFileSync(from), 0o755);

  copy(process.execPath, nodePath);
  const needed = [process.execPath, ...natives].flatMap((file) => needsOfNative(file) ?? []);
  // Those that packages bring along are copied with their package.
  const libraries = [...new Set(needed)].filter((path) => /^\/(usr\/)?lib/.test(path)).sort();
  for (const library of libraries) copy(realpathSync(library), library);
  write("/etc/passwd", `root:x:0:0:root:/:\n${user.name}:x:${user.id}:${user.id}:${user.name}:/tmp:\n`);
  write("/etc/group", `root:x:0:\n${user.name}:x:${user.id}:\n`);
  write("/etc/nsswitch.conf", "hosts: files dns\n");
  write("/etc/ssl/certs/ca-certificates.crt", `${rootCertificates.join("\n")}\n`);
  mkdirSync(join(folder, "tmp"));
  chmodSync(join(folder, "tmp"), 0o1777);

  const owners = new Map<string, SystemPackage>();
  for (const library of libraries) {
    const owner = ownerOf(library);
    owners.set(owner.name, owner);
  }
  // Where scanners look for the packages of an image that has no package manager.
  for (const { name } of owners.values()) write(`/var/lib/dpkg/status.d/${name}`, dpkg("-s", name));
  write("/etc/os-release", readFileSync("/etc/os-release"));
  return [...owners.values()];
}

/** dpkg knows a file by one of its two names where /lib is a link to /usr/lib. */
function ownerOf(library: string): SystemPackage {
  for (const path of [library, realpathSync(library), realpathSync(library).replace(/^\/usr/, "")]) {
    const { status, stdout } = spawnSync("dpkg-query", ["-S", path], { encoding: "utf8" });
    const name = stdout?.split(":")[0];
    if (status === 0 && name) return { name, version: dpkg("-W", "-f", "$" + "{Version}", name) };
  }
  throw new Error(`${library} belongs to no package: images are made on Debian, or in its container`);
}

function dpkg(...options: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync("dpkg-query", options, { encoding: "utf8" });
  if (status !== 0) throw new Error(`dpkg-query ${options.join(" ")}: ${stderr}`);
  return stdout;
}
