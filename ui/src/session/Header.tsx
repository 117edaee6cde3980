import { Link } from "../app/Link";
import type { SessionVerdict } from "../api/schema";
import { Copy } from "../parts/Copy";
import { rememberedList } from "../sessions/list";
import { Badge } from "../verdict/Badge";
import style from "./Session.module.css";

interface Props {
  id: string;
  onOther: (by: number) => void;
  verdict: SessionVerdict | null;
  application: string | undefined;
}

/** Where one is, the sessions beside it in the list, and ways to take it along. */
export function Header({ id, onOther, verdict, application }: Props) {
  const { ids, url } = rememberedList();
  const at = ids.indexOf(id);
  const origin = window.location.origin;
  return (
    <header className={style.header}>
      <nav aria-label="Where you are" className={style.path}>
        <Link to={url}>Sessions</Link>
        <span className="quiet">›</span>
        <h1 className="mono">{id}</h1>
      </nav>
      {verdict && (
        <Badge
          type={verdict.bot_type}
          confidence={verdict.confidence}
          state={verdict.state}
          flagged={verdict.flagged}
        />
      )}
      {at >= 0 && (
        <span className={style.others}>
          <button
            type="button"
            className="button"
            disabled={at === 0}
            onClick={() => onOther(-1)}
            aria-label="Session before in the list"
          >
            ↑ <kbd>[</kbd>
          </button>
          <button
            type="button"
            className="button"
            disabled={at === ids.length - 1}
            onClick={() => onOther(1)}
            aria-label="Next session of the list"
          >
            ↓ <kbd>]</kbd>
          </button>
        </span>
      )}
      <span className={style.actions}>
        {application !== undefined && (
          <Link
            className="button"
            title="An exception in the policy: no verdict on this session, now or later"
            to={`/setup/detection?app=${encodeURIComponent(application)}&kind=session&value=${id}`}
          >
            Leave alone…
          </Link>
        )}
        <Copy what="session id" text={id}>
          Copy id
        </Copy>
        <Copy what="link" text={`${origin}/sessions/${id}`} />
        <Copy what="curl" text={`curl -s '${origin}/v1/sessions/${id}/requests?limit=500'`} />
      </span>
    </header>
  );
}
