import type { MemoryAction, MemoryDecision } from "@headwater/client";

export const memoryWord: Readonly<Record<MemoryAction, string>> = {
  stored: "remembered",
  repeated: "known",
  updated: "updated",
  skipped: "not kept",
};

/** What was decided on a statement, and why, in a sentence or two; the formula is in docs/memory.md. */
export function explainDecision({ action, surprise, threshold, parts }: MemoryDecision): string {
  const { distance = 0, density = 0, momentum = 0 } = parts;
  const near =
    distance >= 0.7
      ? "nothing that is remembered comes near it"
      : distance >= 0.35
        ? "memory has something like it, though not the same"
        : "memory has nearly the same already";
  const reasons = [
    `${near} (distance ${distance.toFixed(2)}, where memories around it lie ${density.toFixed(2)} apart)`,
    ...(momentum >= 0.005 ? [`what was told just before adds ${momentum.toFixed(2)}`] : []),
  ];
  const compared = `a surprise of ${surprise.toFixed(2)}, ${surprise >= threshold ? "at or above" : "below"} the threshold of ${threshold.toFixed(2)}`;
  return `${outcome[action]} ${capital(reasons.join(", and "))}: ${compared}.`;
}

const outcome: Readonly<Record<MemoryAction, string>> = {
  stored: "Remembered, as it is new.",
  repeated: "Known already: that memory is stronger now.",
  updated: "It contradicts a memory, and has taken its place.",
  skipped: "Not kept, as it tells too little that is new.",
};

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
