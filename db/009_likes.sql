-- A like that brings the design along.
--
-- A visitor may like a design before atelier-feed has stored it, or where none
-- runs: what is known of it is kept with the like, so that it can be shown
-- among his likes.  One that is stored stays as it is, and one that cannot be
-- stored is no reason to refuse the like.

CREATE OR REPLACE FUNCTION atelier.set_like(design text, who bytea,
    liked boolean, expires bigint, known text)
RETURNS TABLE (n bigint, version bigint)
LANGUAGE plpgsql AS $$
BEGIN
    IF liked AND known IS NOT NULL
       AND clock_timestamp() < to_timestamp(expires / 1000.0)
       AND NOT EXISTS (SELECT FROM atelier.design d WHERE d.id = design)
    THEN
        BEGIN
            INSERT INTO atelier.design (id, data)
            VALUES (design, known::jsonb) ON CONFLICT DO NOTHING;
        EXCEPTION
            WHEN data_exception OR integrity_constraint_violation
                 OR program_limit_exceeded
            THEN
                NULL;
        END;
    END IF;

    RETURN QUERY
        SELECT l.n, l.version
        FROM atelier.set_like(design, who, liked, expires) l;
END
$$;
