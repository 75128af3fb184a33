import { counted } from "../state/format.ts";
import { pipeline } from "../state/pipeline.ts";
import type { View } from "../state/route.ts";
import { uploadProgress } from "../state/upload-progress.ts";
import { Suggestions } from "./suggestions.tsx";
import { UploadSummary } from "./upload-summary.tsx";

/** Before the first question: what there is to look in, what is still on its way, and what could be asked. */
export function Home({ view }: { view: View }) {
  const now = pipeline.value;
  return (
    <>
      <p class="quiet">
        {now &&
          `${counted(now.documents.indexed, "document")} to look in, ${counted(now.passages, "passage")}.`}
      </p>
      {uploadProgress.value?.done === false && <UploadSummary />}
      <Suggestions view={view} />
    </>
  );
}
