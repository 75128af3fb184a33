import type { Hit, Explanation as Shares } from "@headwater/client";
import { score } from "../state/format.ts";
import { stageNames } from "./stage-timeline.tsx";

const rawNames = { lexical: "BM25", vector: "cosine", fused: "", reranked: "" } as const;

/** How a score came about: what each list gave, which adds up, and what reranking made of it. */
export function Explanation({
  explanation,
  hit,
  movement,
}: {
  explanation: Shares;
  hit: Hit;
  movement: number | undefined;
}) {
  const { lists, fusedScore, rerankScore } = explanation;
  const total = lists.reduce((sum, { share }) => sum + share, 0);
  return (
    <div class="why">
      <div class="why-scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">List</th>
              <th scope="col">Place</th>
              <th scope="col">Raw score</th>
              <th scope="col">Weight</th>
              <th scope="col">Adds</th>
            </tr>
          </thead>
          <tbody>
            {lists.map(({ stage, rank, score: raw, weight, share }) => (
              <tr key={stage}>
                <th scope="row">
                  <span class={`swatch swatch-${stage}`} aria-hidden="true" />
                  {stageNames[stage]}
                </th>
                <td>{rank === 0 ? "not in it" : rank}</td>
                <td>
                  {rank === 0 ? "–" : score(raw)} <span class="why-unit">{rawNames[stage]}</span>
                </td>
                <td>{score(weight)}</td>
                <td>{score(share)}</td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row" colSpan={4}>
                Fused score
              </th>
              <td>{score(fusedScore)}</td>
            </tr>
          </tfoot>
        </table>
      </div>
      {total > 0 && (
        <div class="why-bar" aria-hidden="true">
          {lists.map(({ stage, share }) => (
            <span
              key={stage}
              class={`why-part swatch-${stage}`}
              style={{ flexGrow: Math.max(0, share) / total }}
            />
          ))}
        </div>
      )}
      <p class="why-rerank">
        {rerankScore === undefined
          ? "Not reranked: it stands where fusion put it."
          : `Read again beside the query, the reranker gave it ${score(rerankScore)}. Together with the fused score that makes ${score(hit.score)}${movementText(hit.rank, movement)}.`}
      </p>
    </div>
  );
}

function movementText(rank: number, movement: number | undefined): string {
  if (movement === undefined) return "";
  return movement === 0
    ? `, and stays at place ${rank}`
    : `, which took it from place ${rank + movement} to ${rank}`;
}
