import type { CitationEvent, Hit } from "@headwater/client";
import { useSignal } from "@preact/signals";
import { useId, useRef } from "preact/hooks";
import { mediaTypeName, placeOf, titleOf } from "../state/format.ts";
import { Link } from "./link.tsx";

export interface CitationChipProps {
  readonly number: number;
  /** Undefined while the evidence has not come, or where there is none: then the whole passage stands for it. */
  readonly citation: CitationEvent | undefined;
  readonly hit: Hit | undefined;
  /** The reader points at the chip, or no longer does. */
  readonly onPoint: (on: boolean) => void;
}

/** Milliseconds to move the pointer from the chip to the card, or from one chip to the next. */
const closingDelay = 140;

/** Code units of a passage that stands for evidence. */
const passageShown = 400;

/** A source in the text: pointing at it or focusing it shows what it says, following it opens the document there. */
export function CitationChip({ number, citation, hit, onPoint }: CitationChipProps) {
  const open = useSignal(false);
  const card = useRef<HTMLSpanElement>(null);
  const chip = useRef<HTMLSpanElement>(null);
  const closing = useRef<ReturnType<typeof setTimeout>>(undefined);
  const id = useId();
  const document = citation?.document ?? hit?.document;
  const page = citation?.page ?? hit?.page ?? 0;
  const headings = hit?.headingPath ?? [];
  const place = placeOf(page, headings, titleOf(document));

  const show = () => {
    clearTimeout(closing.current);
    if (open.value) return;
    open.value = true;
    onPoint(true);
    card.current?.showPopover();
    if (card.current && chip.current) placeCard(card.current, chip.current);
  };
  const hide = () => {
    clearTimeout(closing.current);
    if (!open.value) return;
    open.value = false;
    onPoint(false);
    if (card.current?.isConnected) card.current.hidePopover();
  };
  const hideSoon = () => {
    closing.current = setTimeout(hide, closingDelay);
  };

  return (
    // The keys and the pointer act on the link within; this only listens for them on their way up.
    // biome-ignore lint/a11y/noStaticElementInteractions: see above
    <span
      ref={chip}
      class="chip-place"
      onMouseEnter={show}
      onMouseLeave={hideSoon}
      onFocusIn={show}
      onFocusOut={hideSoon}
      onKeyDown={(event) => {
        if (event.key === "Escape" && open.value) {
          event.stopPropagation();
          hide();
        }
      }}
    >
      <Link
        class="cite"
        to={{
          document: document && {
            id: document.id,
            version: document.version,
            mark: citation?.evidence ?? hit?.range,
            page,
            headings,
          },
        }}
        label={`Source ${number}: ${titleOf(document)}${place && `, ${place}`}. Opens the passage`}
        onFollow={hide}
      >
        {number}
      </Link>
      <span ref={card} id={id} class="card" popover="manual" role="note">
        <span class="card-title">
          {titleOf(document)} <span class="badge">{mediaTypeName(document?.mediaType ?? "")}</span>
        </span>
        {place && <span class="card-place">{place}</span>}
        <q class="card-quote">{citation?.quote ?? hit?.text.slice(0, passageShown)}</q>
        {citation && (
          <span class="card-support">
            Support {Math.round(citation.support * 100)} %
            <span class="score-track" aria-hidden="true">
              <span class="score-fill" style={{ transform: `scaleX(${citation.support})` }} />
            </span>
          </span>
        )}
      </span>
    </span>
  );
}

/** Below the chip, or above it where there is no room; never over the edge of the window. */
function placeCard(card: HTMLElement, chip: HTMLElement): void {
  const at = chip.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = card;
  const edge = 8;
  const left = Math.max(edge, Math.min(at.left - 24, innerWidth - width - edge));
  const below = at.bottom + edge;
  const top = below + height > innerHeight - edge ? Math.max(edge, at.top - height - edge) : below;
  card.style.left = `${left}px`;
  card.style.top = `${top}px`;
}
