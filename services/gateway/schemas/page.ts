import type { ListPageOptions } from "@headwater/client";
import { z } from "zod";
import { defined } from "./search.ts";

/** Which page of a list, as a route's query. */
export const pageQuery = z.strictObject({
  page_size: z.coerce.number<string>().int().min(1).max(200).optional().describe("Default 50"),
  page_token: z.string().max(8192).optional().describe("From the page before"),
});

export const nextPageTokenSchema = z.string().describe("For the next page; empty: this was the last");

export const timeSchema = z.iso.datetime().describe("RFC 3339, UTC");

/** The query in the client's names. */
export function pageOptions(query: z.output<typeof pageQuery>): ListPageOptions {
  return defined({ pageSize: query.page_size, pageToken: query.page_token });
}
