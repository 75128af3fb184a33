import type { Turn } from "../state/chat-turn.ts";
import { counted } from "../state/format.ts";
import { memoryWord } from "../state/memory-words.ts";
import { Icon } from "./icon.tsx";
import { Link } from "./link.tsx";
import { SurpriseMeter } from "./surprise-meter.tsx";

/** What memory gave to a turn and what it took from it. */
export function TurnMemory({ turn: { recalled, decisions } }: { turn: Turn }) {
  if (recalled.length === 0 && decisions.length === 0) return null;
  const kept = decisions.filter(({ action }) => action !== "skipped").length;
  const said = [
    recalled.length > 0 && `${counted(recalled.length, "memory", "memories")} recalled`,
    decisions.length > 0 && `${kept} of ${counted(decisions.length, "statement")} remembered`,
  ];
  return (
    <details class="turn-memory">
      <summary>
        <Icon name="memory" />
        <span>{said.filter(Boolean).join(", ")}</span>
      </summary>
      <ul>
        {recalled.map(({ id, text }) => (
          <li key={id}>
            <span class="badge">recalled</span> {text}
          </li>
        ))}
        {decisions.map(({ statement, action, surprise, threshold }) => (
          <li key={statement}>
            <span class="badge">{memoryWord[action]}</span> {statement}
            <SurpriseMeter surprise={surprise} threshold={threshold} />
          </li>
        ))}
      </ul>
      <Link to={{ view: "memory", document: undefined }}>All memories</Link>
    </details>
  );
}
