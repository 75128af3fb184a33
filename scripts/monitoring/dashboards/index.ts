import { embedding } from "./embedding.ts";
import { gateway } from "./gateway.ts";
import { generation } from "./generation.ts";
import { overview } from "./overview.ts";
import { pipeline } from "./pipeline.ts";
import { search } from "./search.ts";
import { upkeep } from "./upkeep.ts";

export const dashboards = [overview, pipeline, embedding, search, generation, gateway, upkeep];
