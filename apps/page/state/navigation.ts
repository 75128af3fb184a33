import { signal } from "@preact/signals";
import type { Route, View } from "./route.ts";
import { formatRoute, homeRoute, parseRoute } from "./route.ts";

/** The present route. Changed by `navigate` and by the browser's back and forward. */
export const route = signal<Route>(homeRoute);

/** What each view was left with, so that its tab leads back to it. */
const lastOf = new Map<View, Route>();

export function startNavigation(): void {
  const read = () => {
    route.value = parseRoute(location.search);
    lastOf.set(route.value.view, route.value);
  };
  read();
  addEventListener("popstate", read);
}

export function navigate(change: Partial<Route>, how: "push" | "replace" = "push"): void {
  const next = { ...route.peek(), ...change };
  const address = formatRoute(next);
  if (address === `${location.pathname}${location.search}`) how = "replace";
  if (how === "push") history.pushState(null, "", address);
  else history.replaceState(null, "", address);
  lastOf.set(next.view, next);
  route.value = next;
}

/** Where a view's tab leads: to what the view showed last, with no document open. */
export function routeOfView(view: View): Route {
  return { ...(lastOf.get(view) ?? { ...homeRoute, view }), document: undefined };
}
