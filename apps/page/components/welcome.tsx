import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { bytes, counted } from "../state/format.ts";
import { loadSamples, readSamples, sampleManifest, samplesFault } from "../state/sample-corpus.ts";
import { FaultNote } from "./fault-note.tsx";
import { Icon } from "./icon.tsx";
import { Link } from "./link.tsx";
import { UploadSummary } from "./upload-summary.tsx";

/** What an empty store shows: what this is, and two ways to begin. */
export function Welcome() {
  const loading = useSignal(false);
  useEffect(() => void readSamples(), []);
  const documents = sampleManifest.value?.documents ?? [];
  const size = documents.reduce((sum, document) => sum + document.bytes, 0);
  return (
    <section class="welcome" aria-labelledby="welcome-title">
      <Contours />
      <h2 id="welcome-title">Documents flow in, cited answers flow out.</h2>
      <p>
        There are no documents yet. Begin with the corpus that comes along, about rivers, springs and those
        who measure them, or with files of your own.
      </p>
      <div class="welcome-ways">
        <button
          type="button"
          class="button button-main"
          disabled={loading.value || documents.length === 0}
          onClick={() => {
            loading.value = true;
            void loadSamples().then(() => {
              loading.value = false;
            });
          }}
        >
          <Icon name="arrow" />
          <span>
            Load the sample corpus
            {documents.length > 0 && ` (${counted(documents.length, "document")}, ${bytes(size)})`}
          </span>
        </button>
        <Link class="button" to={{ view: "documents", query: "" }}>
          <Icon name="plus" />
          <span>Add your own</span>
        </Link>
      </div>
      <p class="drop-hint">
        Or drop files anywhere on this page, or from a terminal:{" "}
        <code>npx headwater ingest &lt;folder&gt;</code>
      </p>
      <FaultNote fault={samplesFault.value} />
      <UploadSummary />
    </section>
  );
}

/** Contour lines of a spring's basin, with the water that leaves it. */
function Contours() {
  return (
    <svg class="contours" viewBox="0 0 640 240" preserveAspectRatio="xMaxYMid slice" aria-hidden="true">
      <path d="M640 20C560 10 500 40 470 84s-10 96 60 120 110 4 110 4" />
      <path d="M640 46c-62-8-112 16-136 52s-6 68 48 86 88 2 88 2" />
      <path d="M640 72c-46-6-82 12-100 38s-4 44 34 58 66 0 66 0" />
      <path d="M640 98c-28-4-52 8-62 22s-2 24 22 32 40-2 40-2" />
      <path d="M640-8C530-20 450 20 414 78s-12 128 82 156 144 14 144 14" />
      <path d="M640-36C500-48 400 0 358 72s-14 160 104 192 178 24 178 24" />
      <path
        class="contours-water"
        d="M612 124c-40 4-60 14-92 8s-50-26-90-16-58 40-104 34-70-30-120-18-90 44-206 30"
      />
    </svg>
  );
}
