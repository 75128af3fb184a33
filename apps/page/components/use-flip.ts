import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

const duration = 420;
const easing = "cubic-bezier(0.22, 0.8, 0.24, 1)";

/**
 * Moves the children of a list from where they were to where they are now (FLIP). A child is known by its `data-key`.
 * One that is moving already goes on from where it is. Nothing moves for readers who asked for less motion.
 */
export function useFlip(list: RefObject<HTMLElement | null>, order: string): void {
  const before = useRef(new Map<string, number>());
  useLayoutEffect(() => {
    const positions = new Map<string, number>();
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    for (const child of list.current?.children ?? []) {
      if (!(child instanceof HTMLElement)) continue;
      const key = child.dataset["key"] ?? "";
      const top = child.offsetTop;
      positions.set(key, top);
      const was = before.current.get(key);
      if (still || was === top) continue;
      if (was === undefined) {
        if (before.current.size > 0)
          child.animate([{ opacity: 0 }, { opacity: 1 }], { duration, easing: "ease-out" });
        continue;
      }
      const moving = new DOMMatrixReadOnly(getComputedStyle(child).transform).m42;
      for (const running of child.getAnimations()) running.cancel();
      child.animate([{ transform: `translateY(${was - top + moving}px)` }, { transform: "none" }], {
        duration,
        easing,
      });
    }
    before.current = positions;
  }, [order]);
}
