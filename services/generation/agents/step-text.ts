/** A piece of what a model wrote in one step. */
export type StepPiece =
  /** Said on the way to a call. */
  | { readonly type: "thought"; readonly text: string }
  /** Said to the person. */
  | { readonly type: "answer"; readonly text: string }
  /** Not marked as one or the other: a thought where a call follows in the same step, else the answer. */
  | { readonly type: "loose"; readonly text: string }
  /** A whole call of the text protocol; `arguments` may be anything but JSON. */
  | { readonly type: "call"; readonly name: string; readonly arguments: string };

/** Reads the text of one step, in pieces cut anywhere. */
export interface StepReader {
  push(text: string): StepPiece[];
  /** What was held back. */
  end(): StepPiece[];
  /** True once a label of the protocol was read: a step without any is plain text. */
  readonly labelled: boolean;
}

type Section = "loose" | "thought" | "action" | "input" | "answer" | "ended";

/** In lower case, as they are compared. */
const labels: Readonly<Record<string, Section>> = {
  "final answer": "answer",
  thought: "thought",
  action: "action",
  "action input": "input",
  observation: "ended",
};
/** How models decorate labels: Markdown's bold, headings and quotes. */
const decoration = /^[ \t*_#>`-]*/;
const labelLine =
  /^[ \t*_#>`-]*(final answer|thought|action input|action|observation)[ \t]*[*_`]*[ \t]*[:：]/i;
/** Longest beginning of a line that can still become a label, in code units. */
const maxLabel = 40;
/** Of one call's name and arguments together: a model that never ends must not fill the memory. */
const maxCall = 262_144;

/** The label after which a model's text is its answer, in both protocols. */
export const answerLabel = "Final Answer:";
/** Ends a model that would go on and make up what its tools say. */
export const stopSequences: readonly string[] = ["\nObservation:"];

/**
 * A state machine over lines. Each begins with a label or belongs to the section before it; only as much of a line is
 * held back as could become a label, so that thoughts and answers stream on.
 *
 * @param protocol "native": calls come apart from the text, only the answer's label counts. "text": ReAct's protocol of
 *   Thought, Action, Action Input and Final Answer
 */
export function createStepReader(protocol: "native" | "text"): StepReader {
  let section: Section = "loose";
  let line = "";
  let atLineStart = true;
  let labelled = false;
  /** What still belongs to the label that was read last: spaces, and the end of its decoration. */
  let afterLabel: RegExp | undefined;
  let name = "";
  let written = "";
  let called = false;

  const couldBeLabel = (text: string): boolean => {
    const bare = text
      .replace(decoration, "")
      .toLowerCase()
      .replace(/[\s*_`:：]+$/, "");
    return (
      text.length <= maxLabel && Object.keys(labels).some((label) => label.startsWith(bare) && counts(label))
    );
  };
  const counts = (label: string): boolean => protocol === "text" || label === "final answer";
  const emit = (pieces: StepPiece[], text: string): void => {
    if (text === "") return;
    if (section === "action") name = (name + text).slice(0, maxCall);
    else if (section === "input") written = (written + text).slice(0, maxCall);
    else if (section !== "ended") pieces.push({ type: section, text });
  };
  const endCall = (pieces: StepPiece[]): void => {
    if (section !== "action" && section !== "input") return;
    const call = toCall(name, written);
    if (call) {
      pieces.push({ type: "call", ...call });
      called = true;
    }
    name = "";
    written = "";
  };
  const enter = (pieces: StepPiece[], next: Section): void => {
    if (!(section === "action" && next === "input")) endCall(pieces);
    // An answer that follows a call without its result is made up.
    section = next === "answer" && called ? "thought" : next;
    labelled = true;
  };
  /** Takes a label off the start of `line`; true where there was one. */
  const takeLabel = (pieces: StepPiece[]): boolean => {
    const match = labelLine.exec(line);
    const label = match?.[1]?.toLowerCase();
    const next = label === undefined || !counts(label) ? undefined : labels[label];
    if (next === undefined || match === null || match[0].length > maxLabel) return false;
    enter(pieces, next);
    afterLabel = /^[ \t]*[*_]/.test(match[0]) ? /^[ \t*_]+/ : /^[ \t]+/;
    line = line.slice(match[0].length);
    return true;
  };
  const read = (pieces: StepPiece[], ending: boolean): void => {
    while (line !== "") {
      if (afterLabel) {
        line = line.replace(afterLabel, "");
        if (line === "") return;
        afterLabel = undefined;
      }
      if (section === "answer" || section === "ended") {
        emit(pieces, line);
        line = "";
        return;
      }
      if (atLineStart && takeLabel(pieces)) {
        atLineStart = false;
        continue;
      }
      const newLine = line.indexOf("\n");
      if (atLineStart && !ending && newLine === -1 && couldBeLabel(line)) return;
      const end = newLine === -1 ? line.length : newLine + 1;
      emit(pieces, line.slice(0, end));
      line = line.slice(end);
      atLineStart = newLine !== -1;
    }
  };

  return {
    get labelled() {
      return labelled;
    },
    push(text) {
      const pieces: StepPiece[] = [];
      line += text;
      read(pieces, false);
      return pieces;
    },
    end() {
      const pieces: StepPiece[] = [];
      read(pieces, true);
      endCall(pieces);
      return pieces;
    },
  };
}

/** `Action: tool`, and what models write in its place: `tool`, "tool", tool({…}), tool {…}. */
function toCall(action: string, input: string): { name: string; arguments: string } | undefined {
  const said = action.trim().replace(/^[`"'*_]+|[`"'*_]+$/g, "");
  if (/^(?:none|n\/a|no action|)\.?$/i.test(said)) return undefined;
  const inline = /^([A-Za-z0-9_-]+)\s*\(?\s*(\{[\s\S]*\})\s*\)?$/.exec(said);
  if (inline?.[1] !== undefined && inline[2] !== undefined && input.trim() === "")
    return { name: inline[1], arguments: inline[2] };
  return { name: said.replace(/\(\s*\)$/, ""), arguments: input.trim() };
}
