// What is chosen in the flow, as the URL names it.

const ARROW = " > ";

export const stepKey = (from: string, to: string) => `${from}${ARROW}${to}`;

export type Choice = { from: string; to: string } | { endpoint: string } | null;

export function choiceOf(key: string | null): Choice {
  if (key === null) return null;
  const [from = "", to] = key.split(ARROW);
  return to === undefined ? { endpoint: from } : { from, to };
}
