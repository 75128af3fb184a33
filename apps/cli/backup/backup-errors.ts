import { HeadwaterError, status } from "@headwater/errors";

/** @param what the part of the backup, and what is wrong with it */
export function backupDamaged(what: string, cause?: unknown): HeadwaterError {
  return new HeadwaterError({
    ...{ code: status.DATA_LOSS, reason: "HW_BACKUP_DAMAGED", cause },
    message: `The backup is damaged: ${what}.`,
    action:
      "`headwater backups list` names the others, `headwater backups verify` says which of them are whole.",
  });
}

export function backupNotFound(name: string | undefined, destination: string): HeadwaterError {
  return new HeadwaterError({
    ...{ code: status.NOT_FOUND, reason: "HW_BACKUP_NOT_FOUND" },
    message: `There is no ${name === undefined ? "finished backup" : `backup ${name}`} at ${destination}.`,
    action: "`headwater backups list` names those that there are.",
  });
}

export function nothingToBackUp(): HeadwaterError {
  return new HeadwaterError({
    ...{ code: status.FAILED_PRECONDITION, reason: "HW_BACKUP_EMPTY" },
    message: "There are no records here: no service was ever started with these settings.",
    action: "Check HEADWATER_DATA_DIR, or HEADWATER_POSTGRES_URL, against the settings of the services.",
  });
}

export function otherVersion(schema: string): HeadwaterError {
  return new HeadwaterError({
    ...{ code: status.FAILED_PRECONDITION, reason: "HW_SCHEMA_MISMATCH" },
    message: `The records of ${schema} are of another version of Headwater than this command.`,
    action: "Take backups with the version that the services have.",
  });
}

export function notEmpty(filled: readonly string[]): HeadwaterError {
  return new HeadwaterError({
    ...{ code: status.FAILED_PRECONDITION, reason: "HW_RESTORE_NOT_EMPTY" },
    message: `There are records here already, in ${filled.join(", ")}.`,
    action: "Restore into an empty installation, or give --replace: what is here is then gone.",
  });
}

export function servicesRunning(who: string): HeadwaterError {
  return new HeadwaterError({
    ...{ code: status.FAILED_PRECONDITION, reason: "HW_RESTORE_SERVICES_RUNNING" },
    message: `${who} is connected to the records.`,
    action: "Stop every process of ingest and generation first, then restore.",
  });
}
