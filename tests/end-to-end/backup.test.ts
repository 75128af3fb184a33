import { rm } from "node:fs/promises";
import { join } from "node:path";
import { openFolderBlobStore } from "@headwater/blob-store";
import { temporaryFolder } from "@headwater/testing";
import { backupSuite } from "./backup-suite.ts";

backupSuite("a data folder", async () => {
  const destination = join(await temporaryFolder(), "backups");
  return {
    destination,
    openDestination: () => openFolderBlobStore({ folder: destination }),
    online: false,
    servers: [],
    async newPlace() {
      const dataFolder = join(await temporaryFolder(), "data");
      return { dataFolder, environment: {}, destroy: () => rm(dataFolder, { recursive: true, force: true }) };
    },
  };
});
