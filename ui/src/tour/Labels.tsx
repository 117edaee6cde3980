// What a person says of a verdict, and what comes of it.
import type { VerdictWithEvidence } from "../api/schema";

export function Labels({ verdict }: { verdict: VerdictWithEvidence | undefined }) {
  if (verdict === undefined) {
    return <p>Nobody there is held for a bot, so there is nothing to confirm or reject.</p>;
  }
  const said = verdict.label;
  return (
    <>
      <p>
        <strong>Confirm…</strong> or <strong>Wrong…</strong> on this page: a wrong verdict is
        withdrawn and does not come back, and what people said is kept for scoring detection (
        <code>/v1/labels</code>).
      </p>
      <p className="soft">
        {said == null
          ? "Nobody has said anything of this verdict yet."
          : `${said.author}: ${said.label ?? "took it back"}.`}
      </p>
    </>
  );
}
