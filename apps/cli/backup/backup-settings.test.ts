import assert from "node:assert/strict";
import { test } from "node:test";
import { readBackupConfig } from "./backup-settings.ts";

const originals = {
  HEADWATER_BACKUP_DESTINATION: "s3://backups/",
  HEADWATER_S3_ENDPOINT: "https://127.0.0.1:1",
  HEADWATER_S3_ACCESS_KEY_ID: "a",
  HEADWATER_S3_SECRET_KEY: "b",
  HEADWATER_S3_CA_FILE: "/nowhere/ca.crt",
};
const asks = (file: string) => ({ reason: "HW_SETTINGS_INVALID", message: new RegExp(file) });

test("the authority of the originals' server holds for that server alone", async () => {
  await assert.rejects(readBackupConfig({}, originals).openDestination(), asks("HEADWATER_S3_CA_FILE"));
  const elsewhere = { ...originals, HEADWATER_BACKUP_S3_ENDPOINT: "https://127.0.0.1:2" };
  await assert.rejects(readBackupConfig({}, elsewhere).openDestination(), { reason: "HW_S3_UNAVAILABLE" });
  const own = { ...elsewhere, HEADWATER_BACKUP_S3_CA_FILE: "/elsewhere/ca.crt" };
  await assert.rejects(readBackupConfig({}, own).openDestination(), asks("HEADWATER_S3_CA_FILE"));
});
