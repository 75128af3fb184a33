import { integer, readPemFile, readSecret, text } from "@headwater/settings";

/** A service spreads these into its settings. */
export const cacheSettings = {
  HEADWATER_REDIS_URL: text()
    .refine(isRedisUrl, "not of the form redis://user@host:6379/0, or rediss:// for TLS")
    .optional()
    .describe(
      "redis://user@host:6379/0, or rediss:// for TLS: the second tier of the caches, shared by all processes; unset: a disk tier under HEADWATER_DATA_DIR",
    ),
  HEADWATER_REDIS_PASSWORD: text().optional().describe("Password of the user of HEADWATER_REDIS_URL"),
  HEADWATER_REDIS_PASSWORD_FILE: text()
    .optional()
    .describe("File with that password, read anew for each connection, so that it may change meanwhile"),
  HEADWATER_REDIS_CA_FILE: text()
    .optional()
    .describe(
      "File with the authority (PEM) that signed the certificate of Redis; unset: those that Node knows",
    ),
  HEADWATER_REDIS_PREFIX: text()
    .default("headwater:")
    .describe("What every key begins with: two installations on one Redis need two"),
  HEADWATER_REDIS_TTL_S: integer(60, 31_536_000)
    .default(2_592_000)
    .describe(
      "Seconds after which an entry is forgotten. Redis needs maxmemory and maxmemory-policy allkeys-lru beside it, or it fills up",
    ),
  HEADWATER_REDIS_TIMEOUT_MS: integer(10, 60_000)
    .default(500)
    .describe(
      "Longest wait in milliseconds for one answer of Redis; beyond it the entry counts as not there",
    ),
};

/** The values of these settings, as `readSettings` gives them. */
export interface CacheValues {
  readonly HEADWATER_REDIS_URL?: string | undefined;
  readonly HEADWATER_REDIS_PASSWORD?: string | undefined;
  readonly HEADWATER_REDIS_PASSWORD_FILE?: string | undefined;
  readonly HEADWATER_REDIS_CA_FILE?: string | undefined;
  readonly HEADWATER_REDIS_PREFIX: string;
  readonly HEADWATER_REDIS_TTL_S: number;
  readonly HEADWATER_REDIS_TIMEOUT_MS: number;
}

/** How Redis is reached. */
export interface RedisServer {
  readonly url: string;
  /** PEM. */
  readonly ca?: string;
  /** Asked for each connection; undefined: what the address holds. */
  readonly password?: () => string;
}

/** @throws HeadwaterError FAILED_PRECONDITION where the file of the password or of the authority cannot be read */
export function readRedisServer(url: string, values: CacheValues): RedisServer {
  // Read now to tell of a mistake, and again for each connection, as the file may change.
  const password = () => readSecret(values, "HEADWATER_REDIS_PASSWORD");
  const ca = readPemFile(values, "HEADWATER_REDIS_CA_FILE");
  return {
    url,
    ...(ca === undefined ? {} : { ca }),
    ...(password() === undefined ? {} : { password: () => password() ?? "" }),
  };
}

function isRedisUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, pathname, search } = new URL(url);
  return /^rediss?:$/.test(protocol) && hostname !== "" && /^(\/\d*)?$/.test(pathname) && search === "";
}
