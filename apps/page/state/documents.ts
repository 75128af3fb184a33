import type { Document } from "@headwater/client";
import type { Signal } from "@preact/signals";
import { batch, signal } from "@preact/signals";
import { announce } from "./announcer.ts";
import type { DocumentRow } from "./document-row.ts";
import { statesOf, withDocument } from "./document-row.ts";
import type { Fault } from "./fault.ts";
import { faultOf } from "./fault.ts";
import { perFrame } from "./frame.ts";
import type { DocumentGroup } from "./route.ts";
import { server } from "./server.ts";

/** A signal for each row, so that a change draws one line anew and not the list. */
const rows = new Map<string, Signal<DocumentRow>>();

/** Ids that were added in this visit, in the order in which they were. */
export const addedIds = signal<readonly string[]>([]);

/** Ids that the server listed, in their order. */
export const listedIds = signal<readonly string[]>([]);

/** State of the list: "" is the token of a list that is complete. */
export const listing = signal<{ loading: boolean; nextPageToken: string; fault: Fault | undefined }>({
  loading: false,
  nextPageToken: "",
  fault: undefined,
});

/** Counts up with every change of a row, for what is computed over many of them. */
export const rowChanges = signal(0);

/** Documents of elsewhere that appear in the list by themselves; more come with the next listing. */
const listLimit = 1000;
const pageSize = 200;

export function rowSignal(id: string): Signal<DocumentRow> | undefined {
  return rows.get(id);
}

export function setRow(row: DocumentRow): void {
  const known = rows.get(row.id);
  if (known) known.value = row;
  else rows.set(row.id, signal(row));
  rowChanges.value += 1;
}

export function changeRow(id: string, change: Partial<DocumentRow>): void {
  const row = rows.get(id);
  if (row) setRow({ ...row.peek(), ...change });
}

/** Puts rows at the top of the list. */
export function addRows(added: readonly DocumentRow[]): void {
  batch(() => {
    for (const row of added) setRow(row);
    const ids = new Set(added.map(({ id }) => id));
    addedIds.value = [...added.map(({ id }) => id), ...addedIds.peek().filter((id) => !ids.has(id))];
    listedIds.value = listedIds.peek().filter((id) => !ids.has(id));
  });
}

function forgetRow(id: string): void {
  rows.delete(id);
  addedIds.value = addedIds.peek().filter((other) => other !== id);
  listedIds.value = listedIds.peek().filter((other) => other !== id);
  rowChanges.value += 1;
}

const news = new Map<string, Document>();
const takeNews = perFrame(() => {
  batch(() => {
    for (const document of news.values()) {
      const known = rows.get(document.id);
      if (document.state === "deleted") {
        // A row that is about to be sent again outlives the deletion of what was there before.
        if (known && withDocument(known.peek(), document).state === "deleted") forgetRow(document.id);
      } else if (known || rows.size < listLimit) {
        setRow(withDocument(known?.peek(), document));
        if (!known) listedIds.value = [document.id, ...listedIds.peek()];
      }
    }
    news.clear();
  });
});

/** A change of state, as the server streams it. */
export function takeDocument(document: Document): void {
  news.set(document.id, document);
  takeNews();
}

let asked = { group: "all" as DocumentGroup, prefix: "" };
let current: AbortController | undefined;

/** Lists anew: when the view opens, its filter changes, or a lost connection is back. */
export async function listDocuments(group: DocumentGroup, prefix: string): Promise<void> {
  asked = { group, prefix };
  await fetchPage("");
}

export async function relistDocuments(): Promise<void> {
  await fetchPage("");
}

export async function listMoreDocuments(): Promise<void> {
  const { nextPageToken, loading } = listing.peek();
  if (nextPageToken !== "" && !loading) await fetchPage(nextPageToken);
}

async function fetchPage(pageToken: string): Promise<void> {
  current?.abort();
  current = new AbortController();
  const { signal } = current;
  listing.value = { ...listing.peek(), loading: true, fault: undefined };
  try {
    const page = await server.documents.list({
      pageSize,
      pageToken,
      states: statesOf(asked.group),
      idPrefix: asked.prefix,
      signal,
    });
    if (signal.aborted) return;
    batch(() => {
      for (const document of page.documents) setRow(withDocument(rows.get(document.id)?.peek(), document));
      const added = new Set(addedIds.peek());
      const before = pageToken === "" ? [] : listedIds.peek();
      const ids = page.documents.map(({ id }) => id).filter((id) => !added.has(id));
      listedIds.value = [...new Set([...before, ...ids])];
      listing.value = { loading: false, nextPageToken: page.nextPageToken, fault: undefined };
    });
  } catch (thrown) {
    const fault = faultOf(thrown, signal);
    if (fault) listing.value = { ...listing.peek(), loading: false, fault };
  }
}

/** @returns what went wrong, if something did */
export async function deleteDocument(id: string): Promise<Fault | undefined> {
  try {
    await server.documents.delete(id);
    announce(`Deleted ${id}.`);
    forgetRow(id);
    return undefined;
  } catch (thrown) {
    return faultOf(thrown);
  }
}

/** Takes a row off the list that the server never saw. */
export function dropRow(id: string): void {
  forgetRow(id);
}

/**
 * Puts a failed document back into the log.
 * @returns what went wrong, if something did
 */
export async function retryDocument(id: string): Promise<Fault | undefined> {
  try {
    let pageToken = "";
    do {
      const page = await server.deadLetters.list({ pageSize: 1000, pageToken });
      const letters = page.deadLetters.filter(({ documentId }) => documentId === id);
      if (letters.length > 0) {
        await server.deadLetters.replay(letters.map((letter) => letter.id));
        changeRow(id, { state: "queued", failure: undefined });
        return undefined;
      }
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    return {
      message: "This document is no longer among the dead letters.",
      action: "Add the file again.",
      reason: "HW_DEAD_LETTER_UNKNOWN",
      transient: false,
      retryAfterMs: undefined,
    };
  } catch (thrown) {
    return faultOf(thrown);
  }
}
