import { Link } from "../app/Link";
import type { SessionVerdict } from "../api/schema";
import { Copy } from "../parts/Copy";
import { Menu } from "../parts/Menu";
import menu from "../parts/Menu.module.css";
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
        <CopyMenu id={id} />
      </span>
    </header>
  );
}

/** The session as text to take along. */
function CopyMenu({ id }: { id: string }) {
  const { origin } = window.location;
  const texts = [
    ["link", "Link", `${origin}/sessions/${id}`],
    ["session id", "Session id", id],
    ["curl", "curl", `curl -s '${origin}/v1/sessions/${id}/requests?limit=500'`],
    ["SQL", "SQL", `SELECT * FROM requests WHERE session = '${id}' ORDER BY start`],
  ] as const;
  return (
    <Menu label="Copy" name="Copy as text" align="right">
      {() =>
        texts.map(([what, title, text]) => (
          <Copy key={what} what={what} text={text} className={menu.item}>
            {title} <span className="quiet cut">{text}</span>
          </Copy>
        ))
      }
    </Menu>
  );
}
