-- What atelier-shop has still to prove: that the page and the picture of a
-- product answer.  A table of its own, as product_check is, since it changes
-- with every try.  While somebody is at it, next_at is the end of the lease.

CREATE TABLE IF NOT EXISTS atelier.product_proof (
    product_id     text COLLATE "C" PRIMARY KEY
                   REFERENCES atelier.product (id) ON DELETE CASCADE,
    next_at        timestamptz NOT NULL,
    tries          integer NOT NULL DEFAULT 0,
    state          text                -- verified, or what was in the way
);

-- Takes up to n products of a shop that are not verified, for so long; those
-- that were never tried first.  Nobody waits for anybody.

CREATE OR REPLACE FUNCTION atelier.products_to_prove(shop text, n integer,
    lease interval)
RETURNS TABLE (product_id text, url text, image text)
LANGUAGE sql AS $$
    WITH few AS (
        SELECT p.id FROM atelier.product p
        LEFT JOIN atelier.product_proof v ON v.product_id = p.id
        WHERE p.retailer = shop AND NOT p.verified
          AND (v.next_at IS NULL OR v.next_at <= now())
        ORDER BY v.next_at NULLS FIRST, p.first_at DESC, p.id LIMIT n
    ), taken AS (
        INSERT INTO atelier.product_proof AS v (product_id, next_at)
        SELECT f.id, now() + lease FROM few f ORDER BY f.id
        ON CONFLICT (product_id) DO UPDATE SET next_at = EXCLUDED.next_at
            WHERE v.next_at <= now()
        RETURNING v.product_id
    )
    SELECT p.id, p.url, p.image
    FROM taken t JOIN atelier.product p ON p.id = t.product_id
$$;

-- Ends a try.  Each one that fails makes the next one later, until a week.

CREATE OR REPLACE FUNCTION atelier.product_proved(product text, what text,
    again interval)
RETURNS void
LANGUAGE sql AS $$
    UPDATE atelier.product_proof AS v
    SET state = what, tries = CASE what WHEN 'verified' THEN 0
                              ELSE v.tries + 1 END,
        next_at = now() + CASE what WHEN 'verified' THEN again
                          ELSE least(again * 2 ^ least(v.tries, 16),
                                     greatest(again, interval '7 days')) END
    WHERE v.product_id = product
$$;
