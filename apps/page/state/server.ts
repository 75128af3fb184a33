import type { HeadwaterClient } from "@headwater/client";
import { createHeadwaterClient } from "@headwater/client";

/** The gateway that served this page. */
export const server: HeadwaterClient = createHeadwaterClient({ baseUrl: location.origin });
