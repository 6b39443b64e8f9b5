"""The manifests of Kubernetes fit together."""

from deploy_files import DOCUMENTS, kubernetes

KUBERNETES = {
    "Namespace": "v1",
    "Secret": "v1",
    "PersistentVolumeClaim": "v1",
    "Service": "v1",
    "Deployment": "apps/v1",
    "Ingress": "networking.k8s.io/v1",
    "Middleware": "traefik.io/v1alpha1",
    "Kustomization": "kustomize.config.k8s.io/v1beta1",
}


def test_manifests_fit_together() -> None:
    found = kubernetes()
    for key, document in found.items():
        assert document["apiVersion"] == KUBERNETES[document["kind"]], key
    listed = found["Kustomization/"]["resources"]
    manifests = {path.name for path in DOCUMENTS if path.parent.name == "kubernetes"}
    assert {*listed, "kustomization.yaml", "secret.example.yaml"} == manifests
    namespace = found["Kustomization/"]["namespace"]
    assert f"Namespace/{namespace}" in found
    assert {one["metadata"]["namespace"] for key, one in found.items() if key.startswith("Secret/")} == {namespace}

    deployment = found["Deployment/guidedrec"]["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"].items() <= labels.items()
    assert found["Service/guidedrec"]["spec"]["selector"].items() <= labels.items()
    pod = deployment["template"]["spec"]
    claims = [one["persistentVolumeClaim"]["claimName"] for one in pod["volumes"] if "persistentVolumeClaim" in one]
    assert [f"PersistentVolumeClaim/{name}" in found for name in claims] == [True]
    [container] = pod["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    [source] = container["envFrom"]
    assert "GUIDEDREC_DATABASE_URL" in found[f"Secret/{source['secretRef']['name']}"]["stringData"]


def test_a_volume_of_one_pod_is_not_given_to_two() -> None:
    found = kubernetes()
    assert found["Deployment/guidedrec"]["spec"]["replicas"] == 1
    assert found["Deployment/guidedrec"]["spec"]["strategy"] == {"type": "Recreate"}
    assert found["PersistentVolumeClaim/guidedrec-home"]["spec"]["accessModes"] == ["ReadWriteOnce"]
    # Without it, the service of this name would set GUIDEDREC_PORT and others in the pod.
    assert found["Deployment/guidedrec"]["spec"]["template"]["spec"]["enableServiceLinks"] is False
