import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { StepPiece } from "./step-text.ts";
import { createStepReader } from "./step-text.ts";

/** What was read, with neighbouring pieces of one kind joined. */
function read(pieces: readonly string[], protocol: "native" | "text" = "text"): StepPiece[] {
  const reader = createStepReader(protocol);
  const joined: StepPiece[] = [];
  for (const piece of [...pieces.flatMap((text) => reader.push(text)), ...reader.end()]) {
    const last = joined.at(-1);
    if (last && last.type !== "call" && last.type === piece.type)
      joined[joined.length - 1] = { type: last.type, text: last.text + piece.text };
    else joined.push(piece);
  }
  return joined;
}

const call = (name: string, input: string): StepPiece => ({ type: "call", name, arguments: input });
const thought = (text: string): StepPiece => ({ type: "thought", text });
const answer = (text: string): StepPiece => ({ type: "answer", text });
const loose = (text: string): StepPiece => ({ type: "loose", text });

test("thoughts, calls and the answer are told apart", () => {
  assert.deepEqual(
    read(['Thought: I need it.\nAction: search\nAction Input: {"query": "pumps",\n "limit": 3}\n']),
    [thought("I need it.\n"), call("search", '{"query": "pumps",\n "limit": 3}')],
  );
  assert.deepEqual(read(["Thought: I know.\nFinal Answer: It is so.\nThought: no label here"]), [
    thought("I know.\n"),
    answer("It is so.\nThought: no label here"),
  ]);
});

test("what models write in place of the protocol is understood", () => {
  for (const [written, pieces] of [
    ['Action: search({"query": "x"})', [call("search", '{"query": "x"}')]],
    ['Action: search {"query": "x"}', [call("search", '{"query": "x"}')]],
    ['**Action:** `search`\n**Action Input:** {"query": "x"}', [call("search", '{"query": "x"}')]],
    ["action: time\naction input:", [call("time", "")]],
    ["Action: time()", [call("time", "")]],
    ["Thought: so\nAction: None\nFinal Answer: 5", [thought("so\n"), answer("5")]],
    ["## Final Answer: 5", [answer("5")]],
    ["It is so.", [loose("It is so.")]],
    ["Action: a\nAction Input: {}\nAction: b\nAction Input: {}", [call("a", "{}"), call("b", "{}")]],
  ] as const) {
    assert.deepEqual(read([written]), pieces, written);
  }
});

test("a result that the model makes up is left out, and so is an answer that stands on it", () => {
  assert.deepEqual(read(["Action: a\nAction Input: {}\nObservation: made up\nFinal Answer: made up"]), [
    call("a", "{}"),
  ]);
  assert.deepEqual(read(["Action: a\nAction Input: {}\nFinal Answer: made up"]), [
    call("a", "{}"),
    thought("made up"),
  ]);
});

test("with native calls only the answer has a label", () => {
  assert.deepEqual(read(["Thought: a\nAction: b\n**Final Answer:** c"], "native"), [
    loose("Thought: a\nAction: b\n"),
    answer("c"),
  ]);
});

test("an answer leaves as it comes; of a thought only what could become a label is held back", () => {
  const reader = createStepReader("text");
  assert.deepEqual(reader.push("Thought: I"), [thought("I")]);
  assert.deepEqual(reader.push(" know\nFin"), [thought(" know\n")]);
  assert.deepEqual(reader.push("al Answer:"), []);
  assert.deepEqual(reader.push(" It"), [answer("It")]);
  assert.deepEqual(reader.push(" is"), [answer(" is")]);
});

const written = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...["Thought:", "Action:", "Action Input:", "Observation:", "Final Answer:", "**", "# ", "\n", " "],
        ...['{"a": 1}', "search", "final answer", "Action", ":", "  ", "None", "`", "\r\n"],
      ),
      fc.string({ maxLength: 4 }),
    ),
    { maxLength: 25 },
  )
  .map((parts) => parts.join(""));

for (const protocol of ["native", "text"] as const) {
  test(`${protocol}: however the stream is cut, the result is the same`, () => {
    fc.assert(
      fc.property(written, fc.array(fc.nat(80), { maxLength: 12 }), (text, cuts) => {
        const borders = [
          0,
          ...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b),
          text.length,
        ];
        const pieces = borders.slice(1).map((end, index) => text.slice(borders[index], end));
        const whole = read([text], protocol);
        assert.deepEqual(read(pieces, protocol), whole);
        assert.deepEqual(read(text.split(""), protocol), whole);
      }),
      { numRuns: 3000 },
    );
  });
}
