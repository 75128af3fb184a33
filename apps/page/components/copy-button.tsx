import { useSignal } from "@preact/signals";
import { announce } from "../state/announcer.ts";
import { Icon } from "./icon.tsx";

/** Milliseconds for which the button says that it has copied. */
const saysSoFor = 2000;

export function CopyButton({ text, children }: { text: () => string; children: string }) {
  const state = useSignal<"" | "copied" | "failed">("");
  return (
    <button
      type="button"
      class="button button-plain"
      onClick={async () => {
        try {
          await navigator.clipboard.writeText(text());
          state.value = "copied";
          announce("Copied.");
        } catch {
          // Browsers forbid it without a secure origin or the reader's leave; the button says so.
          state.value = "failed";
          announce("The browser does not allow copying.");
        }
        setTimeout(() => {
          state.value = "";
        }, saysSoFor);
      }}
    >
      <Icon name={state.value === "copied" ? "check" : "copy"} />
      <span>{state.value === "" ? children : state.value === "copied" ? "Copied" : "Not allowed here"}</span>
    </button>
  );
}
