import { HeadwaterError, status } from "@headwater/errors";
import type { IndexFingerprint } from "@headwater/passage-index";

export function nothingToUndo(): HeadwaterError {
  return new HeadwaterError({
    ...{ code: status.FAILED_PRECONDITION, reason: "HW_REINDEX_NOTHING_TO_UNDO" },
    message: "There is no generation that served before.",
    action:
      "It is kept from the end of a reindex until `headwater reindex --finish` or the next one; set what was set before and run `headwater reindex`.",
  });
}

/**
 * Documents that changed since the switch have to be made for the generation before, and nothing but what made that
 * one can make them.
 */
export function undoNeedsOtherSettings(before: IndexFingerprint, now: IndexFingerprint): HeadwaterError {
  const differs = [
    ...(before.model === now.model ? [] : [`the model (${before.model} then, ${now.model} now)`]),
    ...(before.chunking === now.chunking
      ? []
      : [`the chunking (${before.chunking} then, ${now.chunking} now)`]),
  ];
  return new HeadwaterError({
    ...{ code: status.FAILED_PRECONDITION, reason: "HW_REINDEX_UNDO_SETTINGS" },
    message: `The generation before was made with other settings: ${differs.join(" and ")}.`,
    action:
      "Set them as they were, restart, and run `headwater reindex --undo` again. The new generation serves until then, and documents wait in the log.",
  });
}

export function switchTorn(): HeadwaterError {
  return new HeadwaterError({
    ...{ code: status.UNAVAILABLE, reason: "HW_REINDEX_SWITCH_TORN" },
    message: "A process died while it switched generations, and that is not yet put right.",
    action: "It is put right when documents are processed again: wait for the embedding-worker to be ready.",
  });
}
