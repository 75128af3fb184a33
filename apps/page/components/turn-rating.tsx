import { useSignal } from "@preact/signals";
import { rateTurn, ratings } from "../state/chat.ts";
import type { Turn } from "../state/chat-turn.ts";
import type { Fault } from "../state/fault.ts";
import { FaultNote } from "./fault-note.tsx";
import { Icon } from "./icon.tsx";

/** Longest correction that the service takes, in UTF-16 code units. */
const longest = 16_384;

/** Thumbs, and what would have been right. */
export function TurnRating({ turn }: { turn: Turn }) {
  const given = ratings.value.get(turn.messageId);
  const correcting = useSignal(false);
  const typed = useSignal("");
  const fault = useSignal<Fault | undefined>(undefined);
  const rate = async (rating: "up" | "down", correction = given?.correction ?? "") => {
    fault.value = await rateTurn(turn, { rating, correction });
  };
  return (
    <>
      <button
        type="button"
        class="button button-plain"
        aria-pressed={given?.rating === "up"}
        aria-label="A good answer"
        title="A good answer"
        onClick={() => void rate("up")}
      >
        <Icon name="good" />
      </button>
      <button
        type="button"
        class="button button-plain"
        aria-pressed={given?.rating === "down"}
        aria-label="A bad answer"
        title="A bad answer"
        onClick={() => {
          typed.value = given?.correction ?? "";
          correcting.value = true;
          void rate("down");
        }}
      >
        <Icon name="bad" />
      </button>
      {correcting.value && (
        <form
          class="correction"
          onSubmit={(event) => {
            event.preventDefault();
            correcting.value = false;
            void rate("down", typed.value.trim());
          }}
        >
          <label>
            <span>What would have been right?</span>
            <textarea
              class="field"
              rows={2}
              maxLength={longest}
              value={typed}
              onInput={(event) => {
                typed.value = event.currentTarget.value;
              }}
            />
          </label>
          <button type="submit" class="button" disabled={typed.value.trim() === ""}>
            Send the correction
          </button>
          <button
            type="button"
            class="button button-plain"
            onClick={() => {
              correcting.value = false;
            }}
          >
            No, thanks
          </button>
        </form>
      )}
      <FaultNote fault={fault.value} />
    </>
  );
}
