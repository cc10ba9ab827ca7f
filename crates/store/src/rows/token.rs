//! Rows of codes and of pairs of tokens: digests, salts and times, never a secret.

use super::engine::Engine;
use super::sql::{self, Columns, statements};
use super::value::{Params, params};
use accord_core::handle::Bucket;
use accord_core::ids::{AgreementId, Owner};
use accord_core::moment::Timestamp;
use accord_core::secret::{Digest, Salt};
use accord_core::store::Stored;
use accord_core::token::{Code, TokenSet};

macro_rules! set_columns {
    () => {
        "agreement, generation, access_digest, refresh_digest, key_version, salt, access_expires_at, \
         refresh_expires_at, issued_at, replaced_at"
    };
}

statements! {
    CODE = "SELECT digest, agreement, owner, issued_at, expires_at FROM codes
        WHERE bucket = ?1 AND digest = ?2";
    pub(crate) CODES_BEFORE = "SELECT digest, agreement, owner, issued_at, expires_at FROM codes
        WHERE expires_at < ?1 ORDER BY expires_at, bucket, digest LIMIT ?2";
    INSERT_CODE = "INSERT INTO codes (bucket, digest, agreement, owner, issued_at, expires_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    // A pair that is not found hot may lie cold; the second part is read only then.
    SET = concat!(
        "SELECT ", set_columns!(), " FROM token_sets WHERE bucket = ?1 AND agreement = ?2 AND generation = ?3
        UNION ALL
        SELECT ", set_columns!(), " FROM token_sets_cold WHERE bucket = ?1 AND agreement = ?2 AND generation = ?3"
    );
    SET_BY_ACCESS = concat!(
        "SELECT ", set_columns!(), " FROM token_sets WHERE bucket = ?1 AND access_digest = ?2
        UNION ALL
        SELECT ", set_columns!(), " FROM token_sets_cold WHERE bucket = ?1 AND access_digest = ?2"
    );
    SET_BY_REFRESH = concat!(
        "SELECT ", set_columns!(), " FROM token_sets WHERE bucket = ?1 AND refresh_digest = ?2
        UNION ALL
        SELECT ", set_columns!(), " FROM token_sets_cold WHERE bucket = ?1 AND refresh_digest = ?2"
    );
    pub(crate) REPLACED_BEFORE = concat!(
        "SELECT ", set_columns!(), " FROM token_sets WHERE replaced_at IS NOT NULL AND replaced_at < ?1
        ORDER BY replaced_at, bucket, agreement, generation LIMIT ?2"
    );
    pub(crate) LAPSED_BEFORE = concat!(
        "SELECT ", set_columns!(), " FROM token_sets WHERE refresh_expires_at < ?1
        ORDER BY refresh_expires_at, bucket, agreement, generation LIMIT ?2"
    );
    INSERT_SET = concat!(
        "INSERT INTO token_sets (bucket, ", set_columns!(), ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
    );
    UPDATE_SET = "UPDATE token_sets SET access_digest = ?4, refresh_digest = ?5, key_version = ?6, salt = ?7,
        access_expires_at = ?8, refresh_expires_at = ?9, issued_at = ?10, replaced_at = ?11
        WHERE bucket = ?1 AND agreement = ?2 AND generation = ?3";
}

pub(crate) fn code(db: &dyn Engine, bucket: Bucket, digest: &Digest) -> Stored<Option<Code>> {
    sql::one(db, CODE, params![bucket.number(), digest.0], read_code)
}

pub(crate) fn read_code(row: &mut Columns<'_>) -> Stored<Code> {
    Ok(Code {
        digest: row.digest()?,
        agreement: row.parsed(AgreementId::read)?,
        owner: Owner::from_row(row.get::<String>()?),
        issued_at: row.time()?,
        expires_at: row.time()?,
    })
}

pub(crate) fn insert_code(db: &dyn Engine, code: &Code) -> Stored<()> {
    let values = params![
        code.agreement.bucket().number(),
        code.digest.0,
        code.agreement.as_str(),
        code.owner.as_str(),
        code.issued_at.0,
        code.expires_at.0,
    ];
    sql::write(db, INSERT_CODE, values)
}

pub(crate) fn read_set(row: &mut Columns<'_>) -> Stored<TokenSet> {
    Ok(TokenSet {
        agreement: row.parsed(AgreementId::read)?,
        generation: row.get()?,
        access_digest: row.digest()?,
        refresh_digest: row.digest()?,
        salt: Salt { key_version: row.get()?, salt: row.get()? },
        access_expires_at: row.time()?,
        refresh_expires_at: row.time()?,
        issued_at: row.time()?,
        replaced_at: row.maybe_time()?,
    })
}

pub(crate) fn token_set(
    db: &dyn Engine,
    agreement: &AgreementId,
    generation: u32,
) -> Stored<Option<TokenSet>> {
    sql::one(db, SET, params![agreement.bucket().number(), agreement.as_str(), generation], read_set)
}

pub(crate) fn by_access(db: &dyn Engine, bucket: Bucket, digest: &Digest) -> Stored<Option<TokenSet>> {
    sql::one(db, SET_BY_ACCESS, params![bucket.number(), digest.0], read_set)
}

pub(crate) fn by_refresh(db: &dyn Engine, bucket: Bucket, digest: &Digest) -> Stored<Option<TokenSet>> {
    sql::one(db, SET_BY_REFRESH, params![bucket.number(), digest.0], read_set)
}

pub(crate) fn insert_token_set(db: &dyn Engine, set: &TokenSet) -> Stored<()> {
    with_set(set, |values| sql::write(db, INSERT_SET, values))
}

pub(crate) fn update_token_set(db: &dyn Engine, set: &TokenSet) -> Stored<()> {
    with_set(set, |values| sql::change(db, UPDATE_SET, values, "the pair of tokens"))
}

fn with_set(set: &TokenSet, run: impl Fn(Params<'_>) -> Stored<()>) -> Stored<()> {
    run(params![
        set.agreement.bucket().number(),
        set.agreement.as_str(),
        set.generation,
        set.access_digest.0,
        set.refresh_digest.0,
        set.salt.key_version,
        set.salt.salt,
        set.access_expires_at.0,
        set.refresh_expires_at.0,
        set.issued_at.0,
        set.replaced_at.map(|Timestamp(at)| at),
    ])
}
