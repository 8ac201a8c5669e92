-- Designs as the image sources describe them, and what found them.
--
-- data is the design as the API shows it, without what changes with time
-- (likes, mirrors); all that can be searched is derived from it here, so a
-- writer gives id and data and nothing can disagree.  Hashes come later.

CREATE TABLE IF NOT EXISTS atelier.design (
    id           text PRIMARY KEY
                 CHECK (id ~ '^[a-z0-9_-]{1,32}:[A-Za-z0-9._-]{1,80}$'),
    data         jsonb NOT NULL
                 CHECK (jsonb_typeof(data) = 'object' AND data->>'id' = id),
    source       text NOT NULL
                 GENERATED ALWAYS AS (split_part(id, ':', 1)) STORED,
    title        text NOT NULL
                 GENERATED ALWAYS AS (coalesce(data->>'title', '')) STORED,
    width        integer
                 GENERATED ALWAYS AS (nullif((data->>'width')::integer, 0))
                 STORED,
    height       integer
                 GENERATED ALWAYS AS (nullif((data->>'height')::integer, 0))
                 STORED,
    -- NULL: the size is not known.  As core/feed/ tells a square.
    orientation  text
                 GENERATED ALWAYS AS (
                     CASE
                     WHEN coalesce((data->>'width')::bigint, 0) <= 0
                          OR coalesce((data->>'height')::bigint, 0) <= 0
                         THEN NULL
                     WHEN abs((data->>'width')::bigint
                              - (data->>'height')::bigint) * 10
                          <= (data->>'height')::bigint
                         THEN 'square'
                     WHEN (data->>'width')::bigint > (data->>'height')::bigint
                         THEN 'landscape'
                     ELSE 'portrait'
                     END) STORED,
    color        text                  -- #RRGGBB
                 GENERATED ALWAYS AS (nullif(upper(data->>'color'), ''))
                 STORED,
    score        numeric NOT NULL
                 GENERATED ALWAYS AS (coalesce((data->>'score')::numeric, 0))
                 STORED,
    search       tsvector NOT NULL
                 GENERATED ALWAYS AS (
                     setweight(to_tsvector('english',
                                           coalesce(data->>'title', '')), 'A')
                     || setweight(to_tsvector('english',
                                              coalesce(data->>'author', '')),
                                  'C')) STORED,
    phash        bigint,               -- 64 bits; NULL: not hashed, or it has
    pdq          bytea                 -- no features
                 CHECK (octet_length(pdq) = 32),
    first_at     timestamptz NOT NULL DEFAULT now(),
    seen_at      timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX IF NOT EXISTS design_search ON atelier.design USING gin (search);
CREATE INDEX IF NOT EXISTS design_score ON atelier.design (score DESC, id);
CREATE INDEX IF NOT EXISTS design_seen ON atelier.design (seen_at);

-- A query, normalised, and what the sources returned for it.  Titles are
-- often empty or "DSC_0042": this finds them all the same.

CREATE TABLE IF NOT EXISTS atelier.design_query (
    query        text NOT NULL CHECK (char_length(query) <= 100),
    design_id    text NOT NULL
                 REFERENCES atelier.design (id) ON DELETE CASCADE,
    seen_at      timestamptz NOT NULL DEFAULT now(),
    search       tsvector NOT NULL
                 GENERATED ALWAYS AS (to_tsvector('english', query)) STORED,
    PRIMARY KEY (query, design_id)
);

CREATE INDEX IF NOT EXISTS design_query_design
    ON atelier.design_query (design_id);
CREATE INDEX IF NOT EXISTS design_query_search
    ON atelier.design_query USING gin (search);
