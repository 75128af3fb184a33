import { HeadwaterError, status } from "@headwater/errors";

/** @returns what is thrown where a group is to be rewound under the hands of its consumers */
export function groupInUse(group: string, cause?: unknown): HeadwaterError {
  return new HeadwaterError({
    ...{ code: status.FAILED_PRECONDITION, reason: "HW_LOG_GROUP_IN_USE", cause },
    message: `The consumer group ${group} of the document log has consumers.`,
    action: "Stop every process of ingest first; one that died is forgotten after its session timeout.",
  });
}
