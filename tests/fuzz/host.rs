//! The bodies of the fuzz targets of the host's parsers. Part of the fuzz crate with its feature `host`, and of the tests.

use monomove::{RawTransaction, SignedTransaction, Transaction, TransactionRules};

/// Signed transactions in their wire form.
pub(crate) fn transaction(bytes: &[u8]) {
    if let Ok(read) = SignedTransaction::decode(bytes) {
        assert_eq!(
            read.encode(),
            bytes,
            "a transaction changes when it is written"
        );
        let json = serde_json::to_string(&read).ok();
        let again = json.and_then(|json| serde_json::from_str::<SignedTransaction>(&json).ok());
        assert_eq!(again, Some(read), "a transaction changes as JSON");
    }
    let _ = SignedTransaction::decode_list(bytes);
    let _ = RawTransaction::decode(bytes);
    let _ = Transaction::from_bytes(bytes, &TransactionRules::default());
}

/// Signed transactions as JSON.
pub(crate) fn transaction_json(bytes: &[u8]) {
    if let Ok(read) = serde_json::from_slice::<SignedTransaction>(bytes) {
        let again = SignedTransaction::decode(&read.encode()).ok();
        assert_eq!(
            again,
            Some(read),
            "a transaction changes when it is written"
        );
    }
}
