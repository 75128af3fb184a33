import { HeadwaterError } from "./headwater-error.ts";
import { status } from "./status.ts";

/**
 * Loads a part that images for a cluster leave out; scripts/image/component.ts names them.
 *
 * @param part as a sentence begins
 * @param action what to do where it is missing
 * @throws HeadwaterError FAILED_PRECONDITION, HW_LEFT_OUT where it is
 */
export async function importPart<Module>(
  part: string,
  load: () => Promise<Module>,
  action: string,
): Promise<Module> {
  try {
    return await load();
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw thrown;
    throw new HeadwaterError({
      code: status.FAILED_PRECONDITION,
      reason: "HW_LEFT_OUT",
      message: `${part} is not a part of this image.`,
      action,
      cause: thrown,
    });
  }
}
