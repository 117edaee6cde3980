import { botName } from "../words/bot";
import { percent } from "../words/number";
import style from "./Verdict.module.css";

interface Props {
  type: string;
  confidence: number;
  state: string;
  flagged: boolean;
}

/** What kind of bot, how sure; quiet where it does not hold (any more). */
export function Badge({ type, confidence, state, flagged }: Props) {
  const isLoud = state === "active" && flagged;
  const title = `${botName(type)}, ${percent(confidence)} sure, ${state}${flagged ? "" : ", below the application's sensitivity"}`;
  return (
    <span className={isLoud ? style.badge : `${style.badge} ${style.mild}`} title={title}>
      <span className={state === "rejected" ? style.rejected : undefined}>{botName(type)}</span>
      <Sure share={confidence} />
    </span>
  );
}

/** Confidence as a short bar and a number. */
export function Sure({ share }: { share: number }) {
  return (
    <span className={style.sure}>
      <span className={style.track} aria-hidden="true">
        <span style={{ width: `${Math.round(share * 100)}%` }} />
      </span>
      {share.toFixed(2)}
    </span>
  );
}
