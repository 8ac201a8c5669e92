-- Facets for choosing: each is counted as if its own filter were not set, so
-- that it says what another choice would find; and prices are counted by
-- ranges as well.

-- Where ranges of prices begin, in minor units: 1, 2 and 5 thousand, and so on.

CREATE OR REPLACE FUNCTION atelier.price_steps(currency text)
RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array(
        SELECT k * (10 ^ (e + atelier.money_digits(currency)))::bigint
        FROM generate_series(3, 6) AS e, unnest('{1,2,5}'::bigint[]) AS k
        ORDER BY 1)
$$;

-- A query for a facet; counted is the relation that it is of.

CREATE OR REPLACE FUNCTION atelier.products_facet(name text, counted text)
RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    col  text;
BEGIN
    IF name = 'price' THEN
        RETURN format('
            WITH s AS MATERIALIZED (
                SELECT price, currency FROM %s AS c WHERE price IS NOT NULL
            ), u AS (
                SELECT min(price) AS least, max(price) AS most,
                       min(currency)::text AS currency,
                       atelier.price_steps(min(currency)::text) AS steps
                FROM s
            ), r AS (
                SELECT width_bucket(s.price, u.steps) AS n, count(*) AS count
                FROM s, u GROUP BY 1
            )
            SELECT row_to_json(f) FROM (
                SELECT atelier.money_text(u.least, u.currency) AS min,
                       atelier.money_text(u.most, u.currency) AS max,
                       coalesce((
                    SELECT json_agg(row_to_json(g) ORDER BY r.n)
                    FROM r, LATERAL (SELECT
                        atelier.money_text(u.steps[r.n], u.currency) AS min,
                        atelier.money_text(u.steps[r.n + 1] - 1, u.currency)
                            AS max,
                        r.count) AS g), ''[]'') AS ranges
                FROM u) AS f', counted);
    END IF;

    col := CASE name WHEN 'category' THEN 'category'
           WHEN 'retailer' THEN 'retailer' WHEN 'inStock' THEN 'in_stock'
           WHEN 'verified' THEN 'verified' END;

    IF col IS NULL THEN
        RAISE 'there is no facet "%"', left(name, 100)
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Use category, retailer, inStock, verified or price.';
    END IF;

    RETURN format('SELECT concat(''['', string_agg(row_to_json(f)::text, '',''
            ORDER BY f.count DESC, f.value), '']'') FROM (
        SELECT %1$I AS value, count(*) AS count FROM %2$s AS c
        WHERE %1$I IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 100) AS f',
        col, counted);
END
$$;

-- As it was (004_products.sql has its arguments), but for facets.

CREATE OR REPLACE FUNCTION atelier.products_find(asked jsonb)
RETURNS json
LANGUAGE plpgsql STABLE AS $$
DECLARE
    query    text := coalesce(asked->>'query', '');
    sort     text := coalesce(asked->>'sort', 'relevance');
    words    tsquery := CASE WHEN query <> ''
                        THEN websearch_to_tsquery('english', query) END;
    names    constant text[] := '{category,retailer,price,inStock,verified}';
    own      text[];
    every    text;
    filter   text;
    sorted   text;
    hits     text;
    facets   text;
    answer   json;
BEGIN
    -- the conditions, in the order of names

    own := ARRAY[
        CASE WHEN asked ? 'category' THEN 'p.category = $1->>''category''' END,
        CASE WHEN asked ? 'retailer' THEN 'p.retailer = $1->>''retailer''' END,
        nullif(concat_ws(' AND ',
            CASE WHEN asked ? 'minPrice'
                 THEN 'p.price >= ($1->>''minPrice'')::bigint' END,
            CASE WHEN asked ? 'maxPrice'
                 THEN 'p.price <= ($1->>''maxPrice'')::bigint' END), ''),
        CASE (asked->>'inStock')::boolean WHEN true THEN 'p.in_stock'
             WHEN false THEN 'NOT p.in_stock' END,
        CASE (asked->>'verified')::boolean WHEN true THEN 'p.verified'
             WHEN false THEN 'NOT p.verified' END];
    filter := array_to_string('true'::text || own, ' AND ');
    every := CASE query WHEN '' THEN 'atelier.product' ELSE 'every' END;

    sorted := CASE sort
        WHEN 'relevance' THEN
            CASE query WHEN '' THEN 'p.verified DESC, p.first_at DESC, p.id'
            ELSE 'p.verified DESC, score DESC, p.id' END
        WHEN 'price_asc' THEN 'p.verified DESC, p.price, p.id'
        WHEN 'price_desc' THEN 'p.verified DESC, p.price DESC NULLS LAST, p.id'
        WHEN 'newest' THEN 'p.verified DESC, p.first_at DESC, p.id' END;

    IF sorted IS NULL THEN
        RAISE 'there is no sort "%"', left(sort, 100)
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Use relevance, price_asc, price_desc or newest.';
    END IF;

    -- without a query both users of hits read an index, in the order they want

    hits := format(CASE query WHEN '' THEN
        'hits AS NOT MATERIALIZED (SELECT p.*, 0 AS score
             FROM atelier.product p WHERE %s)'
        ELSE
        'every AS MATERIALIZED (SELECT p.id, p.category, p.retailer,
             p.in_stock, p.verified, p.price, p.currency, p.first_at,
             found.score
         FROM found JOIN atelier.product p ON p.id = found.id),
         hits AS MATERIALIZED (SELECT * FROM every p WHERE %s)' END, filter);

    SELECT string_agg(format('concat(%L, (%s))', to_json(f.name) || ':',
        atelier.products_facet(f.name, CASE
            WHEN own[f.n] IS NULL THEN 'counted'
            ELSE format('(SELECT p.category, p.retailer, p.in_stock,
                p.verified, p.price, p.currency FROM %s p WHERE %s
                LIMIT 10000)', every, array_to_string(
                'true'::text || own[:f.n - 1] || own[f.n + 1:], ' AND '))
            END)), ', ')
    INTO facets
    FROM (SELECT name, array_position(names, name) AS n
          FROM jsonb_array_elements_text(coalesce(asked->'facets', '[]'))
               AS name) AS f;

    EXECUTE format('
        WITH words AS (
            SELECT id, 1 + ts_rank(search, $2) AS score
            FROM atelier.product WHERE search @@ $2
            UNION ALL
            SELECT product_id,
                   1 + (query = $3)::int / (10.0 + greatest(rank, 0))
            FROM atelier.product_query WHERE search @@ $2
        ), alike AS (
            SELECT id, word_similarity($3, title) AS score
            FROM atelier.product
            WHERE char_length($3) > 2 AND $3 <%% title
              AND (SELECT count(*) FROM (SELECT FROM words LIMIT 20) AS w)
                  < 20
        ), found AS (
            SELECT id, max(score) AS score
            FROM (SELECT * FROM words UNION ALL SELECT * FROM alike) AS u
            GROUP BY id
        ), %1$s,
        counted AS (
            SELECT p.category, p.retailer, p.in_stock, p.verified, p.price,
                   p.currency
            FROM hits p LIMIT 10000
        ), page AS (
            SELECT row_number() OVER (ORDER BY %2$s) AS place, p.id
            FROM hits p ORDER BY %2$s
            LIMIT ($1->>''limit'')::int OFFSET ($1->>''offset'')::int
        )
        SELECT concat(''{"total":'', (SELECT count(*) FROM counted),
            '',"results":['', (
                SELECT string_agg(atelier.product_json(p)::text, '',''
                                  ORDER BY page.place)
                FROM page JOIN atelier.product p ON p.id = page.id),
            '']'' %3$s, ''}'')::json', hits, sorted,
        CASE WHEN facets <> ''
        THEN format(', '',"facets":{'', concat_ws('','', %s), ''}''', facets)
        END)
    INTO answer
    USING asked || jsonb_build_object(
              'limit', coalesce((asked->>'limit')::int, 24),
              'offset', coalesce((asked->>'offset')::int, 0)),
          words, query;

    RETURN answer;
END
$$;

DROP FUNCTION IF EXISTS atelier.products_facet(text);

-- A function that is replaced loses its settings.

ALTER FUNCTION atelier.products_find(jsonb)
    SET pg_trgm.word_similarity_threshold = 0.35;

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION atelier.products_find(jsonb)
                    SET search_path = pg_catalog, atelier, %s',
                   (SELECT extnamespace::regnamespace::text
                    FROM pg_extension WHERE extname = 'pg_trgm'));
END
$$;
