// Where in the tour one is, as the URL has it.

/** So many steps. */
export const STEPS = 5;

/** Where it begins. */
export const TOUR = "/sessions?tour=1";

/** The step that `tour=` names; null for none. */
export function stepOf(text: string | null): number | null {
  if (text === null || !/^\d$/.test(text)) return null;
  const step = Number(text);
  return step >= 1 && step <= STEPS ? step : null;
}

/** A page's URL with the step in it. */
export function withStep(url: string, step: number): string {
  return `${url}${url.includes("?") ? "&" : "?"}tour=${step}`;
}
