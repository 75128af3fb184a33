import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import { ChatResponse } from "@headwater/proto/services/headwater/v1/conversation";

export interface TurnRow {
  readonly id: string;
  readonly conversation_id: string;
  readonly message_id: string;
  readonly process: string;
  readonly ended_at: number | null;
  readonly lost: boolean;
}

export const turnColumns = "id, conversation_id, message_id, process, ended_at, lost";

/** Several events as one value: each with its length before it. */
export function packEvents(events: readonly Uint8Array[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const event of events) writer.bytes(event);
  return writer.finish();
}

export function unpackEvents(packed: Uint8Array): ChatResponse[] {
  const reader = new BinaryReader(packed);
  const events: ChatResponse[] = [];
  while (reader.pos < reader.len) events.push(ChatResponse.decode(reader.bytes()));
  return events;
}
