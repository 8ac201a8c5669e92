-- Generations: what visitors asked to be drawn, what became of it, and, of
-- those that wait, the queue.
--
-- The order is (turn, n).  A request gets the turn after the one now served,
-- or after its visitor's last one if that is later: first in, first out for
-- one visitor, and in turns between visitors, however many one of them sends.
--
-- Who works on a row holds it for the time of a lease, with a fence: a number
-- that grows with every lease, so whoever has lost it is refused.  Fence 0 is
-- nginx itself while the client waits for the answer (the direct attempt).
--
--                begin        take               done, fail
--     (nothing) -------> running <----> queued   running -------> done, failed
--                           |    retry           cancel: from running, queued
--                           +--- queue --> queued
--
-- Functions that write for a waiting client have the parameter expires, ms
-- since 1970: from then on they do nothing and return no row, as the client
-- was told so long ago.

CREATE TABLE IF NOT EXISTS atelier.generation (
    n            bigserial PRIMARY KEY,
    id           text COLLATE "C" NOT NULL UNIQUE
                 CHECK (id ~ '^[0-9a-f]{32}$'),      -- also the picture's
    visitor      bytea NOT NULL CHECK (octet_length(visitor) = 16),
    request      json NOT NULL,                      -- normalised
    request_hash bytea NOT NULL,                     -- of it, the seed included
    seed         bigint,                             -- NULL: none was given
    idem_key     text COLLATE "C"
                 CHECK (octet_length(idem_key) BETWEEN 1 AND 255),
    body_hash    bytea CHECK ((body_hash IS NULL) = (idem_key IS NULL)),
    status       text COLLATE "C" NOT NULL
                 CHECK (status IN ('queued', 'running', 'done', 'failed',
                                   'cancelled')),
    turn         bigint CHECK (turn IS NOT NULL OR status <> 'queued'),
    tries        integer NOT NULL DEFAULT 0,         -- of the queue
    reason       text,                               -- of the last that failed
    not_before   timestamptz,                        -- NULL: it is due
    lease_until  timestamptz,
    fence        bigint NOT NULL DEFAULT 0,
    worker       text,                               -- who took it last
    jobs         json NOT NULL DEFAULT '[]',         -- [{provider, job}]
    result       json                                -- done: the answer;
                 CHECK (result IS NOT NULL           -- failed: code, detail
                        OR status NOT IN ('done', 'failed')),
    alias        text COLLATE "C",                   -- the id in result, if it
                                                     -- is another one
    request_id   text NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at     timestamptz
);

-- Leases are renewed often, and no index is on what that changes.

ALTER TABLE atelier.generation SET (
    fillfactor = 80,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_threshold = 500
);

CREATE UNIQUE INDEX IF NOT EXISTS generation_key
    ON atelier.generation (visitor, idem_key) WHERE idem_key IS NOT NULL;
CREATE INDEX IF NOT EXISTS generation_queued
    ON atelier.generation (turn, n) WHERE status = 'queued';
CREATE INDEX IF NOT EXISTS generation_running
    ON atelier.generation (turn, n) WHERE status = 'running';
CREATE INDEX IF NOT EXISTS generation_waiting
    ON atelier.generation (visitor, turn)
    WHERE status IN ('queued', 'running');
CREATE INDEX IF NOT EXISTS generation_known
    ON atelier.generation (request_hash, n)
    WHERE seed IS NOT NULL AND status = 'done';
CREATE INDEX IF NOT EXISTS generation_own
    ON atelier.generation (visitor, n DESC);
CREATE INDEX IF NOT EXISTS generation_alias
    ON atelier.generation (alias) WHERE alias IS NOT NULL;
CREATE INDEX IF NOT EXISTS generation_ended
    ON atelier.generation (ended_at) WHERE ended_at IS NOT NULL;

-- How fast the queue moves: ends, and the seconds they took, both fading, of
-- the time in which somebody waited.  One row, written once a second at most.
-- Limits let the queue go by fits and starts, so time without an end is not
-- counted as it passes, but by the ends that come after it: until then served
-- lags behind at.

CREATE TABLE IF NOT EXISTS atelier.generation_rate (
    one          boolean PRIMARY KEY DEFAULT true CHECK (one),
    at           timestamptz NOT NULL DEFAULT now(),
    ends         double precision NOT NULL DEFAULT 1,
    seconds      double precision NOT NULL DEFAULT 5
);

ALTER TABLE atelier.generation_rate
    ADD COLUMN IF NOT EXISTS served timestamptz NOT NULL DEFAULT now();

INSERT INTO atelier.generation_rate DEFAULT VALUES ON CONFLICT DO NOTHING;


-- The place of what waits at (turn, n); 1 is next.

CREATE OR REPLACE FUNCTION atelier.generation_position(its_turn bigint,
    its_n bigint)
RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT count(*) + 1 FROM atelier.generation
    WHERE status = 'queued' AND (turn, n) < (its_turn, its_n)
$$;

-- Seconds for each that is served, and how long the queue has stood by now.
-- When nobody has waited of late: what all of them together were served at in
-- the last minute, if that was faster, as it is the limits that end it.

CREATE OR REPLACE FUNCTION atelier.generation_pace(
    OUT pace double precision, OUT stood double precision)
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN r.at > statement_timestamp() - interval '10 s'
           THEN r.seconds / greatest(r.ends, 0.001)
           ELSE least(r.seconds / greatest(r.ends, 0.001), 5.0, 60.0 / greatest(
                    1, (SELECT count(*) FROM atelier.generation
                        WHERE ended_at > statement_timestamp() - interval '60 s'
                              AND status = 'done' AND alias IS NULL)))
           END,
           CASE WHEN r.at > statement_timestamp() - interval '10 s'
           THEN greatest(0, extract(epoch FROM statement_timestamp() - r.served))
           ELSE 0 END
    FROM atelier.generation_rate r
$$;

-- Seconds until so many will have been served, and it may be tried.  It counts
-- down while nothing is served, to a third: longer than that nobody knows.

CREATE OR REPLACE FUNCTION atelier.generation_seconds(many bigint,
    pace double precision, stood double precision, due timestamptz)
RETURNS integer
LANGUAGE sql STABLE AS $$
    SELECT least(86400, greatest(
               1,
               ceil(greatest(many * pace - stood, many * pace / 3)),
               ceil(extract(epoch FROM due - statement_timestamp()))))::integer
$$;

-- The same for a place: all that is before it, and what is being made.

CREATE OR REPLACE FUNCTION atelier.generation_eta(place bigint,
    due timestamptz)
RETURNS integer
LANGUAGE sql STABLE AS $$
    SELECT atelier.generation_seconds(
               place + (SELECT count(*) FROM atelier.generation
                        WHERE status = 'running' AND turn IS NOT NULL),
               r.pace, r.stood, due)
    FROM atelier.generation_pace() r
$$;

-- So many of those that wait, in order, after the one at (turn, n); from the
-- first on: after (-1, 0).

CREATE OR REPLACE FUNCTION atelier.generation_places(most bigint,
    after_turn bigint, after_n bigint)
RETURNS TABLE (id text, place bigint, eta integer, turn bigint, n bigint)
LANGUAGE sql STABLE AS $$
    -- sub-selects, so that the planner expects one row and no hard work

    SELECT p.id, p.place,
           atelier.generation_seconds(p.place + w.running, w.pace, w.stood,
                                      p.not_before),
           p.turn, p.n
    FROM (SELECT q.*, row_number() OVER (ORDER BY q.turn, q.n)
                      + (SELECT count(*) FROM atelier.generation b
                         WHERE b.status = 'queued'
                               AND (b.turn, b.n) <= (after_turn, after_n))
                      AS place
          FROM (SELECT g.id, g.turn, g.n, g.not_before
                FROM atelier.generation g
                WHERE g.status = 'queued'
                      AND (g.turn, g.n) > (after_turn, after_n)
                ORDER BY g.turn, g.n LIMIT most) AS q) AS p,
         (SELECT r.pace, r.stood,
                 (SELECT count(*) FROM atelier.generation
                  WHERE status = 'running' AND turn IS NOT NULL) AS running
          FROM atelier.generation_pace() r) AS w
    ORDER BY p.place
$$;

-- A generation as the API shows it, NULL if there is none: done: the answer
-- that was stored; queued: {id, status, position, etaSeconds, channel};
-- running: {id, status, channel}; failed: {id, status, code, detail, ...};
-- cancelled: {id, status}.

CREATE OR REPLACE FUNCTION atelier.generation_show(g atelier.generation)
RETURNS json
LANGUAGE sql STABLE AS $$
    SELECT CASE g.status
           WHEN 'done' THEN g.result
           WHEN 'queued' THEN
               (SELECT format('{"id":"%s","status":"queued","position":%s,'
                              '"etaSeconds":%s,"channel":"generate:%1$s"}',
                              g.id, place,
                              atelier.generation_eta(place, g.not_before))
                FROM atelier.generation_position(g.turn, g.n) AS place)::json
           WHEN 'running' THEN
               format('{"id":"%s","status":"running",'
                      '"channel":"generate:%1$s"}', g.id)::json
           WHEN 'failed' THEN
               format('{"id":"%s","status":"failed",%s', g.id,
                      substr(ltrim(g.result::text, E' \t\r\n'), 2))::json
           ELSE format('{"id":"%s","status":"cancelled"}', g.id)::json
           END
$$;

CREATE OR REPLACE FUNCTION atelier.generation_get(gen text)
RETURNS json
LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        (SELECT atelier.generation_show(g) FROM atelier.generation g
         WHERE g.id = gen),
        (SELECT atelier.generation_show(a) FROM atelier.generation a
         WHERE a.alias = gen ORDER BY a.n LIMIT 1))
$$;

-- The same for its channel, where it has to fit into a message: an answer
-- with a very long prompt is {id, status, url} there.

CREATE OR REPLACE FUNCTION atelier.generation_value(gen text)
RETURNS json
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN octet_length(shown::text) > 60000
                THEN json_build_object('id', gen, 'status', 'done',
                                       'url', shown->>'url')
                ELSE shown
           END
    FROM atelier.generation_get(gen) AS shown
$$;

-- A visitor's own, newest first, below n = before (NULL: from the newest); at
-- is ms since 1970.

CREATE OR REPLACE FUNCTION atelier.generation_list(who bytea, before bigint,
    most integer)
RETURNS TABLE (n bigint, at bigint, answer json)
LANGUAGE sql STABLE AS $$
    SELECT g.n, (extract(epoch FROM g.created_at) * 1000)::bigint,
           atelier.generation_show(g)
    FROM atelier.generation g
    WHERE g.visitor = who AND g.n < coalesce(before, 9223372036854775807)
    ORDER BY g.n DESC LIMIT most
$$;


-- Before any provider is asked, when there is a key (idem, body: the digest
-- of the body it came with).  One row, or none: expired.
-- state:
--   new       the row is written, running for lease_ms with fence 0: go on
--   same      this key and body were seen: answer from the row; its status
--             may be any, result is that of done and of failed
--   conflict  this key was seen with another body; the rest is NULL
-- position and eta are those of a row that is queued, else NULL.

CREATE OR REPLACE FUNCTION atelier.generation_begin(gen text, who bytea,
    req json, req_hash bytea, req_seed bigint, idem text, body bytea,
    req_id text, expires bigint, lease_ms bigint DEFAULT 90000)
RETURNS TABLE (state text, id text, status text, result json,
    "position" bigint, eta integer)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    g  atelier.generation;
BEGIN
    IF clock_timestamp() >= to_timestamp(expires / 1000.0) THEN
        RETURN;
    END IF;

    -- a second time if the row of this key is removed meanwhile

    FOR i IN 1 .. 2 LOOP
        INSERT INTO atelier.generation AS n (id, visitor, request,
            request_hash, seed, idem_key, body_hash, status, lease_until,
            request_id)
        VALUES (gen, who, req, req_hash, req_seed, idem, body, 'running',
            clock_timestamp() + lease_ms * interval '1 ms', req_id)
        ON CONFLICT (visitor, idem_key) WHERE idem_key IS NOT NULL DO NOTHING
        RETURNING * INTO g;

        IF FOUND THEN
            RETURN QUERY SELECT 'new', g.id, g.status, NULL::json,
                                NULL::bigint, NULL::integer;
            RETURN;
        END IF;

        SELECT * INTO g FROM atelier.generation AS s
        WHERE s.visitor = who AND s.idem_key = idem;
        EXIT WHEN FOUND;
    END LOOP;

    IF g.body_hash IS DISTINCT FROM body THEN
        RETURN QUERY SELECT 'conflict', NULL, NULL, NULL::json, NULL::bigint,
                            NULL::integer;
        RETURN;
    END IF;

    RETURN QUERY
        SELECT 'same', coalesce(g.alias, g.id), g.status, g.result, place,
               CASE WHEN place IS NOT NULL
                    THEN atelier.generation_eta(place, g.not_before) END
        FROM (SELECT CASE WHEN g.status = 'queued'
                          THEN atelier.generation_position(g.turn, g.n) END)
             AS p (place);
END
$$;

-- Into the queue: the row of generation_begin(), or a new one.  adopted is
-- [{provider, job}].  One row, or none: expired.  state:
--   queued    it is committed; position and eta are its
--   full      most are waiting already; nothing is left of it
--   conflict  its key is another row's
--   else the status of the row, if it was ended or taken meanwhile

CREATE OR REPLACE FUNCTION atelier.generation_queue(gen text, who bytea,
    req json, req_hash bytea, req_seed bigint, idem text, body bytea,
    req_id text, adopted json, expires bigint, most bigint DEFAULT 10000)
RETURNS TABLE (state text, "position" bigint, eta integer)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    g        atelier.generation;
    next     bigint;
    waiting  bigint;
    place    bigint;
BEGIN
    IF clock_timestamp() >= to_timestamp(expires / 1000.0) THEN
        RETURN;
    END IF;

    -- two of one visitor at once would get the same turn

    PERFORM pg_advisory_xact_lock(1096041805, hashtext(encode(who, 'hex')));

    SELECT 1 + greatest(
        0,
        (SELECT max(r.turn) FROM atelier.generation AS r
         WHERE r.status = 'running'),
        (SELECT min(q.turn) - 1 FROM atelier.generation AS q
         WHERE q.status = 'queued'),
        (SELECT max(v.turn) FROM atelier.generation AS v
         WHERE v.visitor = who AND v.status IN ('queued', 'running')))
    INTO next;

    UPDATE atelier.generation AS u
    SET status = 'queued', turn = next, jobs = coalesce(adopted, '[]'),
        lease_until = NULL
    WHERE u.id = gen AND u.fence = 0 AND u.status = 'running'
    RETURNING * INTO g;

    IF NOT FOUND THEN
        INSERT INTO atelier.generation AS n (id, visitor, request,
            request_hash, seed, idem_key, body_hash, status, turn, jobs,
            request_id)
        VALUES (gen, who, req, req_hash, req_seed, idem, body, 'queued', next,
            coalesce(adopted, '[]'), req_id)
        ON CONFLICT DO NOTHING
        RETURNING * INTO g;
    END IF;

    IF NOT FOUND THEN
        RETURN QUERY
            SELECT coalesce((SELECT s.status FROM atelier.generation AS s
                             WHERE s.id = gen), 'conflict'),
                   NULL::bigint, NULL::integer;
        RETURN;
    END IF;

    SELECT count(*), count(*) FILTER (WHERE (w.turn, w.n) <= (g.turn, g.n))
    INTO waiting, place
    FROM atelier.generation AS w WHERE w.status = 'queued';

    IF waiting > most THEN
        DELETE FROM atelier.generation AS d WHERE d.n = g.n;
        RETURN QUERY SELECT 'full', NULL::bigint, NULL::integer;
        RETURN;
    END IF;

    RETURN QUERY SELECT 'queued', place, atelier.generation_eta(place, NULL);
END
$$;

-- The picture is there, and outcome is the answer, {id, status, url, ...}; an
-- id in it that is not gen's is that of an equal one's picture.  With fence 0
-- and no row, the row is made of the other arguments, which else are not looked
-- at and may be NULL.  What it returns can be asked for again:
--   done       it is, by this call or an earlier one with this fence
--   cancelled  by its visitor meanwhile: the picture is nobody's
--   stale      another one has it by now, or has ended it
--   gone       there is no such row

CREATE OR REPLACE FUNCTION atelier.generation_done(gen text,
    its_fence bigint, outcome json, who bytea DEFAULT NULL,
    req json DEFAULT NULL, req_hash bytea DEFAULT NULL,
    req_seed bigint DEFAULT NULL, idem text DEFAULT NULL,
    body bytea DEFAULT NULL, req_id text DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    g  atelier.generation;
BEGIN
    -- queued: it was given up for late, and nobody has taken it since

    UPDATE atelier.generation AS u
    SET status = 'done', result = outcome,
        alias = nullif(outcome->>'id', u.id), ended_at = clock_timestamp(),
        lease_until = NULL, not_before = NULL, jobs = '[]'
    WHERE u.id = gen AND u.fence = its_fence
          AND u.status IN ('running', 'queued');

    IF FOUND THEN
        RETURN 'done';
    END IF;

    IF its_fence = 0 AND who IS NOT NULL THEN
        INSERT INTO atelier.generation AS n (id, visitor, request,
            request_hash, seed, idem_key, body_hash, status, result, alias,
            request_id, ended_at)
        VALUES (gen, who, req, req_hash, req_seed, idem, body, 'done',
            outcome, nullif(outcome->>'id', gen), coalesce(req_id, ''),
            clock_timestamp())
        ON CONFLICT DO NOTHING;

        IF FOUND THEN
            RETURN 'done';
        END IF;
    END IF;

    SELECT * INTO g FROM atelier.generation AS s WHERE s.id = gen;

    RETURN CASE WHEN NOT FOUND THEN 'gone'
                WHEN g.status = 'cancelled' THEN 'cancelled'
                WHEN g.status = 'done' AND g.fence = its_fence THEN 'done'
                ELSE 'stale'
           END;
END
$$;

-- It will never be done: outcome is {code, detail, ...}.  Returns as
-- generation_done(), with failed for done; a failure makes no row.

CREATE OR REPLACE FUNCTION atelier.generation_fail(gen text,
    its_fence bigint, outcome json)
RETURNS text
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    g  atelier.generation;
BEGIN
    UPDATE atelier.generation AS u
    SET status = 'failed', result = outcome, reason = outcome->>'code',
        ended_at = clock_timestamp(), lease_until = NULL, not_before = NULL,
        jobs = '[]'
    WHERE u.id = gen AND u.fence = its_fence
          AND u.status IN ('running', 'queued');

    IF FOUND THEN
        RETURN 'failed';
    END IF;

    SELECT * INTO g FROM atelier.generation AS s WHERE s.id = gen;

    RETURN CASE WHEN NOT FOUND THEN 'gone'
                WHEN g.status = 'cancelled' THEN 'cancelled'
                WHEN g.status = 'failed' AND g.fence = its_fence THEN 'failed'
                ELSE 'stale'
           END;
END
$$;


-- For atelier-queue.  The next that is due, with a lease of so many ms: first
-- what somebody has held for too long, then the queue.  No row: nothing.  Of
-- direct attempts only those with a key are taken over, since to the others
-- nothing was promised.

CREATE OR REPLACE FUNCTION atelier.generation_take(taker text,
    lease_ms bigint)
RETURNS TABLE (id text, fence bigint, request json, jobs json, tries integer,
    request_id text, age_ms bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    its_n  bigint;
BEGIN
    SELECT r.n INTO its_n FROM atelier.generation AS r
    WHERE r.status = 'running' AND r.lease_until < clock_timestamp()
          AND (r.turn IS NOT NULL OR r.idem_key IS NOT NULL)
    ORDER BY r.turn, r.n LIMIT 1 FOR UPDATE SKIP LOCKED;

    IF NOT FOUND THEN
        SELECT q.n INTO its_n FROM atelier.generation AS q
        WHERE q.status = 'queued'
              AND (q.not_before IS NULL OR q.not_before <= clock_timestamp())
        ORDER BY q.turn, q.n LIMIT 1 FOR UPDATE SKIP LOCKED;
    END IF;

    IF NOT FOUND THEN
        RETURN;
    END IF;

    RETURN QUERY
        UPDATE atelier.generation AS u
        SET status = 'running', turn = coalesce(turn, 0), tries = tries + 1,
            fence = fence + 1, worker = taker, not_before = NULL,
            lease_until = clock_timestamp() + lease_ms * interval '1 ms'
        WHERE u.n = its_n
        RETURNING u.id, u.fence, u.request, u.jobs, u.tries, u.request_id,
            (extract(epoch FROM clock_timestamp() - u.created_at)
             * 1000)::bigint;
END
$$;

-- Held for so many ms from now; false: it is not ours any more, and whatever
-- comes of it is not wanted.

CREATE OR REPLACE FUNCTION atelier.generation_renew(gen text,
    its_fence bigint, lease_ms bigint)
RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE atelier.generation
    SET lease_until = clock_timestamp() + lease_ms * interval '1 ms'
    WHERE id = gen AND fence = its_fence AND status = 'running';

    RETURN FOUND;
END
$$;

-- Back into the queue, at its old place, and not tried again for so many ms.
-- counted false: no provider was asked, so it was no try.  adopted NULL: the
-- jobs stay as they were.  false: it is not ours any more.

CREATE OR REPLACE FUNCTION atelier.generation_retry(gen text,
    its_fence bigint, delay_ms bigint, adopted json, why text,
    counted boolean DEFAULT true)
RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE atelier.generation
    SET status = 'queued', reason = why, jobs = coalesce(adopted, jobs),
        tries = tries - (NOT counted)::integer, lease_until = NULL,
        not_before = CASE WHEN delay_ms > 0
                          THEN clock_timestamp() + delay_ms * interval '1 ms'
                     END
    WHERE id = gen AND fence = its_fence AND status = 'running';

    RETURN FOUND;
END
$$;


-- A visitor does not want it any more.  Returns its status after that:
-- cancelled, or how it had ended before; NULL: it is none of this visitor's.
-- What is at work on it is not told, but its outcome will be refused.

CREATE OR REPLACE FUNCTION atelier.generation_cancel(gen text, who bytea)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    state  text;
BEGIN
    UPDATE atelier.generation
    SET status = 'cancelled', ended_at = clock_timestamp(),
        lease_until = NULL, not_before = NULL, jobs = '[]'
    WHERE id = gen AND visitor = who AND status IN ('queued', 'running');

    IF FOUND THEN
        RETURN 'cancelled';
    END IF;

    SELECT status INTO state FROM atelier.generation
    WHERE visitor = who AND (id = gen OR alias = gen)
    ORDER BY n LIMIT 1;

    RETURN state;
END
$$;

-- Removes what has ended.  No row: none of this visitor's, or it has not
-- ended.  picture is the path of its picture when nobody else was answered
-- with it, so it may be removed, else NULL.

CREATE OR REPLACE FUNCTION atelier.generation_delete(gen text, who bytea)
RETURNS TABLE (status text, picture text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    g      atelier.generation;
    shown  text;
BEGIN
    FOR g IN DELETE FROM atelier.generation AS d
             WHERE d.visitor = who AND (d.id = gen OR d.alias = gen)
                   AND d.status IN ('done', 'failed', 'cancelled')
             RETURNING *
    LOOP
        status := g.status;
        shown := coalesce(g.alias, g.id);
        picture := CASE WHEN g.status = 'done' THEN g.result->>'url' END;
    END LOOP;

    IF status IS NOT NULL THEN
        RETURN QUERY
            SELECT status, CASE WHEN NOT EXISTS (
                               SELECT FROM atelier.generation AS o
                               WHERE o.id = shown OR o.alias = shown)
                           THEN picture END;
    END IF;
END
$$;

-- Removes what ended so long ago, and direct attempts nobody came back for,
-- at most so many; how many it were.

CREATE OR REPLACE FUNCTION atelier.generation_prune(keep_ms bigint,
    most integer)
RETURNS bigint
LANGUAGE sql AS $$
    WITH ended AS (
        SELECT n FROM atelier.generation
        WHERE ended_at < clock_timestamp() - keep_ms * interval '1 ms'
        ORDER BY ended_at LIMIT most FOR UPDATE SKIP LOCKED
    ), left_over AS (
        SELECT n FROM atelier.generation
        WHERE status = 'running' AND turn IS NULL AND idem_key IS NULL
              AND lease_until < clock_timestamp() - interval '1 h'
        LIMIT most FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM atelier.generation
        WHERE n IN (SELECT n FROM ended UNION ALL SELECT n FROM left_over)
        RETURNING 1
    )
    SELECT count(*) FROM gone
$$;

-- Goes on measuring; to be called about once a second.  An end counts for no
-- more than the pace, so that the first one after a pause does not take all of
-- that upon itself, as others follow at once; beyond 90 seconds it does.

CREATE OR REPLACE FUNCTION atelier.generation_measure()
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    r       atelier.generation_rate;
    moment  timestamptz := clock_timestamp();
    mean    double precision;
    passed  double precision;
    took    double precision;
    ended   bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM atelier.generation WHERE status = 'queued')
    THEN
        RETURN;
    END IF;

    SELECT * INTO r FROM atelier.generation_rate
    WHERE at < moment - interval '0.9 s' FOR UPDATE SKIP LOCKED;

    IF NOT FOUND THEN
        RETURN;
    END IF;

    -- nobody waited in between, or nobody measured

    IF moment - r.at > interval '10 s' THEN
        SELECT p.pace INTO mean FROM atelier.generation_pace() p;

        UPDATE atelier.generation_rate
        SET at = moment, served = moment, seconds = 60, ends = 60 / mean;
        RETURN;
    END IF;

    SELECT count(*) INTO ended FROM atelier.generation
    WHERE ended_at > r.at AND ended_at <= moment AND turn IS NOT NULL
          AND status IN ('done', 'failed');

    mean := r.seconds / greatest(r.ends, 0.001);
    passed := least(150, extract(epoch FROM moment - r.served));
    took := CASE WHEN ended > 0
            THEN greatest(least(passed, mean * ended), passed - 90)
            ELSE 0 END;

    UPDATE atelier.generation_rate
    SET at = moment,
        served = moment - (passed - took) * interval '1 s',
        ends = ends * exp(-took / 120) + ended,
        seconds = seconds * exp(-took / 120) + took;
END
$$;


-- Every change of status is told on generate:{id}; the first one is not, since
-- nobody knows the id yet.  The channel atelier_queue says
-- "queued" when there is something to take, and "moved" when places changed.

CREATE OR REPLACE FUNCTION atelier.publish_generation() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM atelier.live_message WHERE channel = 'generate:' || OLD.id;
        DELETE FROM atelier.live_channel WHERE name = 'generate:' || OLD.id;

        IF OLD.status = 'queued' THEN
            PERFORM pg_notify('atelier_queue', 'moved');
        END IF;

        RETURN NULL;
    END IF;

    IF TG_OP = 'UPDATE' THEN
        PERFORM atelier.live_publish('generate:' || NEW.id,
                                     atelier.generation_value(NEW.id));
    END IF;

    IF NEW.status = 'queued' THEN
        PERFORM pg_notify('atelier_queue', 'queued');

    ELSIF TG_OP = 'UPDATE' AND OLD.status = 'queued' THEN
        PERFORM pg_notify('atelier_queue', 'moved');
    END IF;

    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER generation_new
    AFTER INSERT OR DELETE ON atelier.generation
    FOR EACH ROW EXECUTE FUNCTION atelier.publish_generation();

CREATE OR REPLACE TRIGGER generation_change
    AFTER UPDATE OF status ON atelier.generation
    FOR EACH ROW WHEN (OLD.status <> NEW.status)
    EXECUTE FUNCTION atelier.publish_generation();

-- As in 003_live.sql, and for generations how they stand now: places in the
-- queue are no messages.

CREATE OR REPLACE FUNCTION atelier.live_value(channel text)
RETURNS TABLE (id bigint, data json)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    IF channel LIKE 'generate:%' THEN
        RETURN QUERY
            SELECT coalesce((SELECT c.id FROM atelier.live_channel c
                             WHERE c.name = live_value.channel), 0), value
            FROM atelier.generation_value(substr(channel, 10)) AS value
            WHERE value IS NOT NULL;

        IF FOUND THEN
            RETURN;
        END IF;
    END IF;

    RETURN QUERY SELECT c.id, c.data FROM atelier.live_channel c
                 WHERE c.name = live_value.channel;

    IF NOT FOUND AND channel LIKE 'design:%' THEN
        RETURN QUERY
            SELECT 0::bigint,
                   atelier.live_likes(d.design,
                       coalesce((SELECT l.n FROM atelier.design_likes l
                                 WHERE l.design_id = d.design), 0))
            FROM (VALUES (substr(channel, 8))) AS d (design);
    END IF;
END
$$;
