/** Line icons on a 24 grid, drawn for this page. */
const paths = {
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM15.5 15.5 20 20",
  ask: "M4 6.5A2.5 2.5 0 0 1 6.5 4h11A2.5 2.5 0 0 1 20 6.5v7a2.5 2.5 0 0 1-2.5 2.5H11l-4.5 4v-4A2.5 2.5 0 0 1 4 13.5ZM8.5 8.5h7M8.5 11.5h4.5",
  chat: "M3.5 5.5h12v8.5h-6l-3.5 3v-3h-2.5ZM18.5 9.5h2v8.5h-2v2.5l-3-2.5h-4",
  agents:
    "M12 3.5v3M6 6.5h12v9H6ZM9.5 10v1.5M14.5 10v1.5M6 20c0-2.5 2.5-4.5 6-4.5s6 2 6 4.5M3.5 10v2.5M20.5 10v2.5",
  prompts: "M4 5h16v14H4ZM7.5 9.5 10 12l-2.5 2.5M12.5 14.5h4",
  memory:
    "M12 20.5c-5-2.5-8-6-8-10a4.5 4.5 0 0 1 8-3 4.5 4.5 0 0 1 8 3c0 4-3 7.5-8 10ZM12 7.5v4M9.5 13.5l2.5-2 2.5 2",
  jobs: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16ZM12 7.5V12l3 2.5",
  more: "M5.5 12h.1M12 12h.1M18.5 12h.1",
  list: "M8.5 6.5H20M8.5 12H20M8.5 17.5H20M4 6.5h.1M4 12h.1M4 17.5h.1",
  pencil: "M4.5 19.5l1-4L16 5l3 3L8.5 18.5ZM14 7l3 3",
  fork: "M7 4v16M7 13c6 0 10-1 10-6M14 9.5 17 6.5l3 3",
  tool: "M14.5 5a4.5 4.5 0 0 0-4 6.5l-6 6 2 2 6-6a4.5 4.5 0 0 0 6-5.5l-2.5 2.5-2.5-.5-.5-2.5L15.5 5Z",
  thought: "M12 4a6 6 0 0 0-3.5 11v2h7v-2A6 6 0 0 0 12 4ZM9.5 20h5",
  good: "M7.5 10.5v9H4v-9ZM7.5 11 11 4c1.5 0 2.5 1 2.5 2.5V10h5l1.5 1.5-1.5 8h-11",
  bad: "M16.5 13.5v-9H20v9ZM16.5 13 13 20c-1.5 0-2.5-1-2.5-2.5V14h-5L4 12.5l1.5-8h11",
  documents: "M7 3.5h7l4.5 4.5v12.5H7ZM13.5 4v4.5H18M10 12.5h5.5M10 16h5.5",
  pipeline: "M3 6c6 0 6 6 9 6s4 0 9 0M3 18c6 0 6-6 9-6M18 9l3 3-3 3",
  close: "M6 6l12 12M18 6 6 18",
  chevron: "M6 9.5l6 6 6-6",
  arrow: "M5 12h14M13 6l6 6-6 6",
  up: "M12 19V5M6 11l6-6 6 6",
  stop: "M7 7h10v10H7Z",
  copy: "M9 8.5h9.5V20H9ZM15 8V4H5.5v11.5H8.5",
  check: "M5 12.5l4.5 4.5L19 7.5",
  retry: "M19.5 12a7.5 7.5 0 1 1-2.2-5.300M19.5 3.5v4h-4",
  trash: "M4.5 7h15M9.5 7V4.5h5V7M6.5 7l1 13h9l1-13M10.5 11v5.5M13.5 11v5.5",
  upload: "M12 16V4.5M6.5 10 12 4.5l5.5 5.5M4.5 16.5v3h15v-3",
  folder: "M3.5 6h6l2 2.5h9v10.5h-17Z",
  paste: "M8.5 5H6v15.5h12V5h-2.5M9 3.5h6v3.5H9Z",
  download: "M12 4.5V16M6.5 10.5 12 16l5.5-5.5M4.5 16.5v3h15v-3",
  alert: "M12 4 21 19.5H3ZM12 10v4.5M12 17v.2",
  quiet: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM8 12h8",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.300 5.300l1.400 1.400M17.300 17.300l1.400 1.400M5.300 18.700l1.400-1.400M17.300 6.700l1.400-1.400",
  moon: "M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10Z",
  system: "M3.5 5h17v11h-17ZM9 20h6M12 16v4",
  sliders: "M4 7.5h9M17 7.5h3M4 16.5h3M11 16.5h9M15 5v5M9 14v5",
  plus: "M12 5v14M5 12h14",
} as const;

export type IconName = keyof typeof paths;

/** Decorative: what it stands for is said in words beside it or in its button's label. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
